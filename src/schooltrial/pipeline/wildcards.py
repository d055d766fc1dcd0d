"""What rules ask of a study, as functions of Snakemake's wildcards."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, TypeVar

from schooltrial.protocol.content.sections import Content, unlabelled
from schooltrial.study.study import Study

Found = TypeVar("Found")


class Named(Protocol):
    """What Snakemake passes: a value for each wildcard of a rule."""

    study: str
    model: str


class Wildcards:
    """Turns questions to a study into functions of the wildcards that name it.

    Each method takes what is asked, and returns a function for a rule's ``input`` or ``params``.
    """

    def __init__(self, studies: Mapping[str, Study]) -> None:
        self.studies = studies

    def __call__(self, ask: Callable[[Study], Found]) -> Callable[[Named], Found]:
        """Return a function that asks the study."""
        return lambda wildcards: ask(self.studies[wildcards.study])

    def of_model(self, ask: Callable[[Study, str], Found]) -> Callable[[Named], Found]:
        """Return a function that asks the study about one of its models."""
        return lambda wildcards: ask(self.studies[wildcards.study], wildcards.model)

    def section(self, *keys: str) -> Callable[[Named], Any]:
        """Return a function that looks up one value of the protocol; None if it has none."""
        return self(lambda study: _looked_up(study.protocol.content, keys))

    def computed(self, *keys: str) -> Callable[[Named], Any]:
        """Return a function that looks up one value without the words that only exhibits need."""
        return self(lambda study: _looked_up(unlabelled(study.protocol.content), keys))

    def sections(self, *names: str) -> Callable[[Named], dict[str, Any]]:
        """Return a function that looks up sections by name."""
        return self(
            lambda study: {name: _looked_up(study.protocol.content, [name]) for name in names}
        )

    def before_fitting(self, *names: str) -> Callable[[Named], dict[str, Any]]:
        """Return a function that looks up sections as rules up to the checks take them.

        They lack the words that only exhibits need, and have the primary models alone. A script
        names the type of the sections that it takes, and none but these.
        """

        def look_up(study: Study) -> dict[str, Any]:
            content = study.before_fitting()
            return {name: _looked_up(content, [name]) for name in names}

        return self(look_up)

    def from_content(self, function: Callable[[Content], Found]) -> Callable[[Named], Found]:
        """Return a function that applies another to the protocol's sections."""
        return self(lambda study: function(study.protocol.content))

    def models_of(self, estimator: str) -> str:
        """Return a pattern of the models with this estimator, for a wildcard after their path.

        Looking back at the study lets two studies use one name for models of two estimators.
        """
        found = [
            f"(?<={name}/estimates/models/){model}"
            for name, study in self.studies.items()
            for model in study.protocol.models(estimator)
        ]
        return "|".join(found) or "no_model"


def _looked_up(content: Content, keys: Sequence[str]) -> Any:
    value: Any = content
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value
