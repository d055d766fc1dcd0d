"""Claims about what is said of clusters."""

from __future__ import annotations

import pandas as pd

from schooltrial.analysis.cluster_notes import FEW, describe_clusters


def rows(units: list[int], groups: list[int]) -> pd.DataFrame:
    return pd.DataFrame({"cluster": units, "group": groups})


def test_groups_of_several_units_are_counted_and_few_are_called_few() -> None:
    units = list(range(40))
    many = describe_clusters(rows(units, units), "group")
    assert many == ["errors clustered on group (40)"]
    few = describe_clusters(rows(units, [unit // 4 for unit in units]), "group")
    assert few == [
        "errors clustered on group (10)", f"few clusters: 10 (fewer than {FEW})",
    ]  # fmt: skip


def test_groups_inside_a_unit_that_was_assigned_give_errors_that_are_too_small() -> None:
    classes = describe_clusters(rows([0, 0, 1, 1, 2], [0, 1, 2, 3, 4]), "group")
    assert classes[1] == (
        "2 of 3 assigned units hold several groups of group: errors clustered below the unit of "
        "assignment are too small"
    )
    assert len(classes) == 2


def test_labels_that_are_used_again_in_another_unit_are_pointed_out() -> None:
    classes = describe_clusters(rows([0, 0, 1, 1], [0, 1, 0, 1]), "group")
    assert "give each group a label of its own" in classes[2]
