"""What one setting of a topic, a group or a broker is: name, type, default, bounds, meaning.

The tables made of these (topic_configs.py, group_configs.py, broker_configs.py) are the one place
that knows: the controller validates with them, DescribeConfigs shows them, and what obeys a setting
takes its default from there. Values are text everywhere but in the place that obeys them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Final

INT_MAX: Final = 2**31 - 1
LONG_MAX: Final = 2**63 - 1


class ConfigType(Enum):
    """Types as DescribeConfigs numbers them (org.apache.kafka.clients.admin.ConfigEntry)."""

    BOOLEAN = 1
    STRING = 2
    INT = 3
    LONG = 5
    DOUBLE = 6
    LIST = 7


@dataclass(frozen=True, slots=True)
class ConfigSpec:
    """One setting. `default` is how Kafka writes it; `broker_setting` gives it another default."""

    name: str
    config_type: ConfigType
    default: str
    documentation: str
    broker_setting: str | None
    allowed: str
    """The allowed values, for people."""
    find_fault: Callable[[str], str | None]
    minimum: int | None = None
    maximum: int | None = None
    """Of whole numbers, inclusive; None where the type's own bound is the only one."""

    def fault(self, value: str) -> str | None:
        """Why `value` is not allowed, in one sentence that names what is; None when it is."""
        found = self.find_fault(value)
        return None if found is None else f"{self.name}: {found}; allowed is {self.allowed}"


def number_fault(
    parse: Callable[[str], float], minimum: float | None, maximum: float | None
) -> Callable[[str], str | None]:
    """Both bounds are inclusive."""

    def find(value: str) -> str | None:
        try:
            number = parse(value.strip())
        except ValueError:
            return f"'{value}' is not a number of the right kind"
        # Written so that not-a-number is refused too.
        if not (minimum is None or number >= minimum) or not (maximum is None or number <= maximum):
            return f"{value} is out of range"
        return None

    return find


def parse_int(value: str) -> int:
    """As Java does: no underscores, ASCII digits alone."""
    digits = value[1:] if value[:1] in ("-", "+") else value
    if not (digits.isascii() and digits.isdigit()):
        raise ValueError(value)
    return int(value)


def int_config(
    name: str,
    default: int,
    documentation: str,
    *,
    minimum: int | None = None,
    maximum: int = INT_MAX,
    broker_setting: str | None = None,
    config_type: ConfigType = ConfigType.INT,
) -> ConfigSpec:
    allowed = (
        f"a whole number from {minimum} to {maximum}"
        if maximum not in (INT_MAX, LONG_MAX)
        else f"a whole number of at least {minimum}"
    )
    finder = number_fault(parse_int, minimum, maximum)
    return ConfigSpec(
        name,
        config_type,
        str(default),
        documentation,
        broker_setting,
        allowed,
        finder,
        minimum,
        None if maximum in (INT_MAX, LONG_MAX) else maximum,
    )


def long_config(
    name: str,
    default: int,
    documentation: str,
    *,
    minimum: int,
    broker_setting: str | None = None,
) -> ConfigSpec:
    return int_config(
        name,
        default,
        documentation,
        minimum=minimum,
        maximum=LONG_MAX,
        broker_setting=broker_setting,
        config_type=ConfigType.LONG,
    )


def choice_config(
    name: str,
    default: str,
    documentation: str,
    choices: tuple[str, ...],
    *,
    broker_setting: str | None = None,
) -> ConfigSpec:
    def find(value: str) -> str | None:
        return None if value in choices else f"'{value}' is not known"

    allowed = "one of " + ", ".join(choices)
    return ConfigSpec(
        name, ConfigType.STRING, default, documentation, broker_setting, allowed, find
    )


def boolean_config(
    name: str, documentation: str, *, default: str = "false", broker_setting: str | None = None
) -> ConfigSpec:
    def find(value: str) -> str | None:
        known = value.strip().lower() in ("true", "false")
        return None if known else f"'{value}' is neither true nor false"

    return ConfigSpec(
        name, ConfigType.BOOLEAN, default, documentation, broker_setting, "true or false", find
    )


def list_config(
    name: str,
    default: str,
    documentation: str,
    allowed: str,
    find_fault: Callable[[list[str]], str | None],
    *,
    broker_setting: str | None = None,
) -> ConfigSpec:
    def find(value: str) -> str | None:
        return find_fault(split_list(value))

    return ConfigSpec(name, ConfigType.LIST, default, documentation, broker_setting, allowed, find)


def split_list(value: str) -> list[str]:
    """The entries of a list setting; an empty text has none."""
    return [entry.strip() for entry in value.split(",") if entry.strip()]
