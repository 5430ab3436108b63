"""A run's arguments: those of Glue itself, those that the local cloud cannot honour, and those of the script."""

from __future__ import annotations

from infra.localcloud.config import Config

# These change no result and are accepted: --additional-python-modules (the glue environment has the packages that
# requirements/glue.txt pins), --TempDir, --enable-metrics, --enable-continuous-cloudwatch-log, --enable-auto-scaling
# and other monitoring settings.
UNSUPPORTED = ("--extra-jars", "--extra-files", "--datalake-formats", "--user-jars-first", "--class")
UNSUPPORTED_WHEN = {
    "--enable-glue-datacatalog": lambda value: value.lower() != "false",
    "--use-postgres-driver": lambda value: value.lower() == "true",
    "--job-bookmark-option": lambda value: value != "job-bookmark-disable",
    "--job-language": lambda value: value != "python",
}


def unsupported(arguments: dict[str, str], command: dict[str, str]) -> str | None:
    """Returns why the local cloud must refuse the run, or None."""
    if command.get("Name", "glueetl") != "glueetl":
        return f"Command.Name {command['Name']!r} is not executed here; use 'glueetl'"
    for name, value in arguments.items():
        if name in UNSUPPORTED or (name in UNSUPPORTED_WHEN and UNSUPPORTED_WHEN[name](value)):
            return f"The argument {name}={value} is not honoured here"
    return None


def script_arguments(arguments: dict[str, str], job: str, run: str) -> list[str]:
    """Builds the script's arguments as Glue does: ``--KEY value``, with the job's name and the run's id first."""
    words = [word for name, value in arguments.items() for word in (name, value)]
    return ["--JOB_NAME", job, "--JOB_RUN_ID", run, *words]


def python_files(arguments: dict[str, str]) -> list[str]:
    """Returns the URIs of ``--extra-py-files``."""
    return [uri.strip() for uri in arguments.get("--extra-py-files", "").split(",") if uri.strip()]


def spark_properties(arguments: dict[str, str]) -> dict[str, str]:
    """Returns the properties of ``--conf``; Glue writes several as ``a=b --conf c=d``."""
    settings = arguments.get("--conf", "").replace("--conf", " ").split()
    return dict(setting.split("=", 1) for setting in settings if "=" in setting)


def role_arn(config: Config, role: str) -> str:
    """Returns the ARN of a role that is given by its name or its ARN."""
    return role if role.startswith("arn:") else f"arn:aws:iam::{config.account}:role/{role}"
