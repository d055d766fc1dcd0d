"""What rules look up in the protocols: values, files and models, as functions of the wildcards."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from schooltrial.protocol import Protocol, unlabelled

SAMPLES = {"pupil": "sample", "teacher": "teacher_sample", "school": "school_panel"}
LookUp = Callable[[Any], Any]


class LookUps:
    """Looks values up in the protocol of the study that the wildcards name.

    Every method that takes no wildcards returns a function of them, for a rule's input or params.
    """

    def __init__(self, protocols: Mapping[str, Protocol]) -> None:
        self.protocols = protocols
        self.simulated = [name for name in protocols if protocols[name].section("simulation")]

    def content(self, wildcards: Any) -> dict[str, Any]:
        """Return the protocol's sections."""
        content: dict[str, Any] = self.protocols[wildcards.study].content
        return content

    def section(self, *keys: str) -> LookUp:
        """Return a function that looks up one value of the study's protocol."""

        def look_up(wildcards: Any) -> Any:
            value: Any = self.content(wildcards)
            for key in keys:
                value = value.get(key) if isinstance(value, dict) else None
            return value

        return look_up

    def computed(self, name: str) -> LookUp:
        """Return a function: outcomes or models without what only exhibits need."""
        return lambda wildcards: unlabelled(self.content(wildcards)[name])

    def from_content(self, function: Callable[[Mapping[str, Any]], Any]) -> LookUp:
        """Return a function that applies another to the study's protocol."""
        return lambda wildcards: function(self.content(wildcards))

    def study_line(self, wildcards: Any) -> dict[str, Any]:
        """Return what stands under every exhibit: study, whether synthetic, protocol's hash."""
        study = self.content(wildcards)["study"]
        sha256 = self.protocols[wildcards.study].sha256
        return {"title": study["title"], "synthetic": study["synthetic"], "protocol": sha256}

    def simulated_truth(self, wildcards: Any) -> dict[str, str]:
        """Return what the simulation of a synthetic study knows, to be drawn beside estimates."""
        if wildcards.study not in self.simulated:
            return {}
        return {"truth": f"results/{wildcards.study}/data/truth.json"}

    def models_of(self, estimator: str) -> str:
        """Return a pattern of the models with this estimator, for a wildcard after their path.

        Looking back at the study lets two studies use one name for models of two estimators.
        """
        found = [
            f"(?<={study}/estimates/models/){name}"
            for study, protocol in self.protocols.items()
            for name in protocol.models(estimator)
        ]
        return "|".join(found) or "no_model"

    def sample_of_model(self, wildcards: Any) -> str:
        """Return the analysed sample that holds a model's outcomes: of pupils or of teachers."""
        content = self.content(wildcards)
        outcome = content["models"][wildcards.model]["outcomes"][0]
        level = content["outcomes"][outcome]["level"]
        return f"results/{wildcards.study}/data/{SAMPLES[level]}.parquet"
