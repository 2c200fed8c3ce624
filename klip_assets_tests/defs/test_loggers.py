import dagster as dg
import pytest

from klip_assets.defs.loggers import escape_console_logs

HOSTILE = "a \x1b]0;owned\x07 \x9b2J \u202e b"


def test_no_message_of_a_run_steers_the_terminal(capfd: pytest.CaptureFixture[str]) -> None:
    escape_console_logs()

    @dg.op
    def tell(context: dg.OpExecutionContext) -> None:
        context.log.info(HOSTILE)
        raise ValueError(HOSTILE)

    @dg.job
    def told() -> None:
        tell()

    with dg.instance_for_test() as instance:
        result = told.execute_in_process(instance=instance, raise_on_error=False)
        stored = [entry.user_message for entry in instance.all_logs(result.run_id)]
    said = "".join(capfd.readouterr())
    assert said.count(r"a \x1b]0;owned\x07 \x9b2J \u202e b") >= 2, "the message, and the error"
    assert not any(control in said for control in ("\x1b]", "\x07", "\x9b", "\u202e"))
    assert HOSTILE in stored, "the event log has it as it is"
