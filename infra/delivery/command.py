"""How every command of the delivery runs: an error is a text for a person and the exit code 1."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable

from botocore.exceptions import BotoCoreError, ClientError

from include.errors import NightjarError


class DeliveryError(NightjarError):
    """A step of the delivery cannot go on. The text says what to do next."""


def run(parser: argparse.ArgumentParser, command: Callable[[argparse.Namespace], None]) -> int:
    """Parses the command line and runs the command; returns the exit code."""
    given = parser.parse_args()
    try:
        command(given)
    except NightjarError as error:
        print(error, file=sys.stderr)
        return 1
    except (ClientError, BotoCoreError) as error:
        print(f"AWS refused: {error}\nIs this the right account and region, and may its role do this?", file=sys.stderr)
        return 1
    return 0
