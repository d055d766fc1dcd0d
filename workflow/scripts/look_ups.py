"""What rules look up in the protocols: values, files and models, as functions of the wildcards."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from schooltrial.data.reading import raw_file_names
from schooltrial.protocol import Protocol, all_years, unlabelled

DOWNLOADS = Path("data") / "downloads"
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

    def raw_folder(self, wildcards: Any) -> str:
        """Return the folder of a study's raw files."""
        if wildcards.study in self.simulated:
            return f"results/{wildcards.study}/data/raw"
        protocol = self.protocols[wildcards.study]
        folder = protocol.folder / str(protocol.section("raw_folder"))
        return os.path.relpath(folder)

    def raw_files(self, wildcards: Any) -> list[str]:
        """Return the raw files that are there; a missing one is refused when it is read."""
        folder = self.raw_folder(wildcards)
        if wildcards.study in self.simulated:
            return [folder]
        content = self.content(wildcards)
        names = raw_file_names(content["tables"], all_years(content["years"]))
        fetched = self.fetched(wildcards)
        paths = [Path(folder) / name for name in names if name not in fetched]
        return [*fetched.values(), *(str(path) for path in paths if path.is_file())]

    def fetched(self, wildcards: Any) -> dict[str, str]:
        """Return file → where it is kept, for the raw files that are fetched by their address."""
        return {
            reading["file"]: _kept(reading)
            for readings in self.content(wildcards)["tables"].values()
            for reading in readings
            if reading["url"]
        }

    def to_fetch(self) -> dict[str, str]:
        """Return path → address of the files that are not there yet.

        A file that is there was checked when it came, and is then a raw file like any other: no
        rule makes it, so that a study runs again without a network.
        """
        found = {
            _kept(reading): reading["url"]
            for protocol in self.protocols.values()
            for readings in protocol.section("tables").values()
            for reading in readings
            if reading["url"]
        }
        return {path: url for path, url in found.items() if not Path(path).is_file()}

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


def _kept(reading: Mapping[str, Any]) -> str:
    """Return where a fetched file is kept: under its checksum, so that another is another."""
    return str(DOWNLOADS / str(reading["sha256"]) / str(reading["file"]))
