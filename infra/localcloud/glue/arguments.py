"""A run's arguments: which are Glue's own, which this Glue cannot honour, and what the script is given."""

from __future__ import annotations

from ..config import Config

# Not here, because they change no result: --additional-python-modules (the glue environment has what requirements/glue.txt
# pins), --TempDir, --enable-metrics, --enable-continuous-cloudwatch-log, --enable-auto-scaling and other settings of monitoring.
UNSUPPORTED = ("--extra-jars", "--extra-files", "--datalake-formats", "--user-jars-first", "--class")
UNSUPPORTED_WHEN = {
    "--enable-glue-datacatalog": lambda value: value.lower() != "false",
    "--use-postgres-driver": lambda value: value.lower() == "true",
    "--job-bookmark-option": lambda value: value != "job-bookmark-disable",
    "--job-language": lambda value: value != "python",
}


def unsupported(arguments: dict[str, str], command: dict[str, str]) -> str | None:
    """Why this Glue must refuse the run, or None."""
    if command.get("Name", "glueetl") != "glueetl":
        return f"Command.Name {command['Name']!r} is not run here, only 'glueetl' is"
    for name, value in arguments.items():
        if name in UNSUPPORTED or (name in UNSUPPORTED_WHEN and UNSUPPORTED_WHEN[name](value)):
            return f"The argument {name}={value} is not honoured here"
    return None


def script_arguments(arguments: dict[str, str], job: str, run: str) -> list[str]:
    """``--KEY value`` for every argument, as Glue passes them, and the job's and the run's names."""
    words = [word for name, value in arguments.items() for word in (name, value)]
    return ["--JOB_NAME", job, "--JOB_RUN_ID", run, *words]


def python_files(arguments: dict[str, str]) -> list[str]:
    """The URIs of ``--extra-py-files``."""
    return [uri.strip() for uri in arguments.get("--extra-py-files", "").split(",") if uri.strip()]


def spark_properties(arguments: dict[str, str]) -> dict[str, str]:
    """What ``--conf a=b --conf c=d`` (Glue's way to write several) sets."""
    settings = arguments.get("--conf", "").replace("--conf", " ").split()
    return dict(setting.split("=", 1) for setting in settings if "=" in setting)


def role_arn(config: Config, role: str) -> str:
    """Glue takes a role's name or its ARN."""
    return role if role.startswith("arn:") else f"arn:aws:iam::{config.account}:role/{role}"
