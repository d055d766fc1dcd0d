"""What rules are given of a protocol is what they use of it."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

from schooltrial.pipeline.wildcards import Wildcards
from schooltrial.protocol.content.sections import Protocol
from schooltrial.study.study import Study
from support.sections import completed, design

HERE: Any = SimpleNamespace(study="mine", model="itt")


def _asked(models: dict[str, Any]) -> Wildcards:
    content = completed({
        "study": {"name": "mine", "title": "A trial"}, "design": design(),
        "years": {"before": [2019], "during": [2020]}, "tables": {}, "outcomes": {},
        "models": models,
    })  # fmt: skip
    return Wildcards({"mine": Study.of(Protocol(content, "", Path("mine.yaml")))})


def _model(role: str, label: str = "A label") -> dict[str, Any]:
    return {"role": role, "label": label, "estimator": "multilevel", "outcomes": ["maths"]}


def test_rules_up_to_the_checks_see_the_primary_models_without_labels_and_no_other() -> None:
    first = _asked({"itt": _model("primary"), "also": _model("sensitivity")})
    second = _asked({"itt": _model("primary", "Another label")})
    primary = [one.before_fitting("models")(HERE)["models"] for one in (first, second)]
    assert primary[0] == primary[1]
    assert set(primary[0]) == {"itt"}
    assert "label" not in primary[0]["itt"]


def test_a_section_is_looked_up_by_its_keys_and_is_none_where_the_protocol_has_none() -> None:
    asked = _asked({"itt": _model("primary")})
    assert asked.section("study", "name")(HERE) == "mine"
    assert asked.section("study", "nickname")(HERE) is None
    assert asked.section("simulation", "seed")(HERE) is None


def test_a_question_about_a_model_is_asked_of_the_model_that_the_wildcards_name() -> None:
    asked = _asked({"itt": _model("primary"), "also": _model("sensitivity")})
    assert (
        asked.of_model(lambda study, model: study.computed_model(model)["role"])(HERE) == "primary"
    )


def test_models_of_one_estimator_match_behind_the_folder_of_their_own_study_alone() -> None:
    import re

    pattern = re.compile(_asked({"itt": _model("primary")}).models_of("multilevel"))
    assert pattern.search("mine/estimates/models/itt")
    assert not pattern.search("other/estimates/models/itt")
    assert _asked({"itt": _model("primary")}).models_of("wild_bootstrap") == "no_model"
