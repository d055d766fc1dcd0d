"""Write the raw files of a synthetic trial."""

import json
from pathlib import Path

from schooltrial.pipeline.rule_adapter import run_as_rule
from schooltrial.protocol.content.sections import Design, Simulation
from schooltrial.randomisation.record import draw_assignment
from schooltrial.refusal import Fault, Refusal
from schooltrial.simulate.base.simulated_trial import Drawn
from schooltrial.simulate.generators import FRAMES, GENERATORS
from schooltrial.version import software_versions


def main(
    *,
    simulation: Simulation,
    seed: int,
    folder: str,
    truth: str,
    design: Design,
    study: str,
) -> None:
    """Write one CSV per raw file, and the truth that the simulation knows.

    Where ``design.randomisation`` names an eligible list and a record, both are written too: the
    schools are drawn from the list as those of a real trial are, before anything else of the trial
    is simulated.
    """
    Path(folder).mkdir(parents=True, exist_ok=True)
    try:
        drawn = draw_simulated(simulation, seed, design, study, Path(folder))
        trial = GENERATORS[simulation["generator"]](simulation["parameters"], seed, drawn)
    except ValueError as error:
        place, remedy = "simulation.parameters", "correct it there, or leave it out"
        known = f"parameters of {simulation['generator']}"
        raise Refusal([Fault("the protocol", str(error), known, remedy, column=place)]) from error
    for name, frame in trial.files.items():
        separator = trial.delimiters.get(name, ",")
        frame.to_csv(
            Path(folder) / name, index=False, encoding=trial.encodings[name], sep=separator
        )
    Path(truth).write_text(json.dumps(trial.truth, indent=1) + "\n", encoding="utf-8")


def draw_simulated(
    simulation: Simulation, seed: int, design: Design, study: str, folder: Path
) -> Drawn | None:
    """Draw the schools of a simulated frame and write frame and record, where these are named."""
    draw, name = design["randomisation"], simulation["generator"]
    seed_of_draw, frame_file, record_file = draw["seed"], draw["eligible_list"], draw["record"]
    if not (frame_file and record_file):
        return None
    if name not in FRAMES or seed_of_draw is None:
        raise Refusal([
            Fault(
                "the protocol", f"{name} draws by itself" if name not in FRAMES else
                "design.randomisation has no seed", f"a draw from a frame of {', '.join(FRAMES)}",
                "leave out design.randomisation.eligible_list and record, or give the seed",
                column="design.randomisation",
            )
        ])  # fmt: skip
    frame = FRAMES[name](simulation["parameters"], seed)
    record = draw_assignment(
        frame, design, study=study, seed=seed_of_draw, date=draw["date"],
        software=software_versions(), file=frame_file,
    )  # fmt: skip
    frame.to_csv(folder / frame_file, index=False)
    (folder / record_file).write_text(record.json(), encoding="utf-8")
    control = design["arms"][0]["name"]
    treated = frozenset(unit for unit, _, arm in record.listing if arm != control)
    return Drawn(record.seed, treated)


run_as_rule(main, globals())
