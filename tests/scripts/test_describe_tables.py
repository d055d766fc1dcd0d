"""What the codebook says of raw columns."""

from describe_tables import raw_columns
from small_trial import SmallTrial


def test_a_variable_of_a_joined_file_has_its_column_and_a_key_that_of_the_main_file(
    trial: SmallTrial,
) -> None:
    joined = {"pupil": {"column": "id"}, "migrant": {"column": "mig"}}
    trial.reading("pupils")["join"] = [{"file": "more.csv", "on": ["pupil"], "columns": joined}]
    trial.write()
    found = raw_columns(trial.read().content["tables"])["pupils"]
    assert (found["pupil"], found["migrant"]) == ("pupil_id", "mig")
