"""An error of the system is told in a sentence, whoever met it."""

from schooltrial.pipeline.system_errors import in_text


def test_a_full_disk_is_known_in_the_text_of_another_program() -> None:
    text = "Error recording metadata for finished job ([Errno 28] No space left on device). Please"
    fault = in_text(text, "/data/trial")
    assert fault is not None
    assert (fault.file, fault.found) == ("/data/trial", "the disk is full")


def test_the_file_is_named_where_the_text_names_it() -> None:
    fault = in_text("PermissionError: [Errno 13] Permission denied: 'results/x.csv'", "/data")
    assert fault is not None
    assert fault.file == "results/x.csv"


def test_an_error_that_the_user_cannot_act_on_is_not_taken_for_one() -> None:
    assert in_text("[Errno 5] Input/output error", "/data") is None
    assert in_text("KeyError: 'arm'", "/data") is None
