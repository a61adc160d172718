"""Typed settings: one dataclass field a setting, read from a TOML file and the environment.

A settings class is a frozen dataclass whose fields are made by `setting()`, or by
`settings_table()` for those that another table describes and that are kept as text. Names are
Kafka's (``log.segment.bytes``); in TOML they are dotted keys or tables, in the environment they are
``OTTLA_LOG_SEGMENT_BYTES``, and the environment wins. `load()` says where each value came from and
names the line of a wrong key or value together with what is allowed.
"""

from __future__ import annotations

import dataclasses
import difflib
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeAlias, TypeVar

from ottla.core.config_spec import ConfigSpec, ConfigType
from ottla.core.errors import ConfigError

_KEY = "ottla"
_TABLE = "ottla.table"
_TRUE = frozenset({"true", "1", "yes", "on"})
_FALSE = frozenset({"false", "0", "no", "off"})


@dataclass(frozen=True, slots=True)
class SettingSpec:
    """What a setting's name, values and meaning are. Bounds are inclusive."""

    name: str
    documentation: str
    minimum: int | None = None
    maximum: int | None = None
    choices: tuple[str, ...] = ()
    required: bool = False
    secret: bool = False


def environment_name(name: str) -> str:
    """The variable that sets the setting `name`."""
    return "OTTLA_" + re.sub(r"[.-]", "_", name).upper()


def setting(
    name: str,
    default: Any = dataclasses.MISSING,
    documentation: str = "",
    *,
    minimum: int | None = None,
    maximum: int | None = None,
    choices: tuple[str, ...] = (),
    secret: bool = False,
) -> Any:
    """A dataclass field that is the setting `name`; without a default it is required."""
    required = default is dataclasses.MISSING
    spec = SettingSpec(name, documentation, minimum, maximum, choices, required, secret)
    if required:
        return dataclasses.field(metadata={_KEY: spec})
    return dataclasses.field(default=default, metadata={_KEY: spec})


def setting_of(config: ConfigSpec) -> Any:
    """A dataclass field that is a setting which another table describes, too."""
    default: Any = config.default
    match config.config_type:
        case ConfigType.BOOLEAN:
            default = default == "true"
        case ConfigType.INT | ConfigType.LONG:
            default = int(default)
        case ConfigType.DOUBLE:
            default = float(default)
    return setting(
        config.name,
        default,
        config.documentation,
        minimum=config.minimum,
        maximum=config.maximum,
    )


FindFault: TypeAlias = Callable[[str], str | None]
"""Why a value is not allowed, for people and with the setting's name; None when it is."""


def settings_table(table: Mapping[str, FindFault]) -> Any:
    """A dataclass field: those settings named in `table` that were set, as text by name."""
    return dataclasses.field(default_factory=dict, metadata={_TABLE: table})


def _tables(settings_type: type) -> dict[str, tuple[dataclasses.Field[Any], FindFault]]:
    return {
        name: (field, find_fault)
        for field in dataclasses.fields(settings_type)
        for name, find_fault in field.metadata.get(_TABLE, {}).items()
    }


Settings = TypeVar("Settings")


@dataclass(frozen=True, slots=True)
class Loaded(Generic[Settings]):
    """The settings and, by name, where each that is not a default came from."""

    settings: Settings
    sources: Mapping[str, str]
    unknown_variables: tuple[str, ...]

    def describe(self) -> list[str]:
        """One line a setting that is not the default: name, value, source. Secrets are hidden."""
        lines = []
        for field, spec in fields_and_specs(type(self.settings)):
            if spec.name in self.sources:
                value = getattr(self.settings, field.name)
                shown = "[hidden]" if spec.secret else _shown(value)
                lines.append(f"{spec.name} = {shown}  ({self.sources[spec.name]})")
        for name, (field, _) in _tables(type(self.settings)).items():
            if name in self.sources:
                value = getattr(self.settings, field.name)[name]
                lines.append(f"{name} = {value}  ({self.sources[name]})")
        return lines


def _shown(value: object) -> str:
    if isinstance(value, tuple | list):
        return ",".join(str(item) for item in value)
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def fields_and_specs(settings_type: type) -> list[tuple[dataclasses.Field[Any], SettingSpec]]:
    """The fields made by `setting()`, in their written order."""
    return [
        (field, field.metadata[_KEY])
        for field in dataclasses.fields(settings_type)
        if _KEY in field.metadata
    ]


def specs(settings_type: type) -> list[SettingSpec]:
    """All settings of a class, in their written order."""
    return [spec for _, spec in fields_and_specs(settings_type)]


def load(
    settings_type: type[Settings],
    *,
    text: str = "",
    file_name: str = "(no file)",
    environment: Mapping[str, str] | None = None,
) -> Loaded[Settings]:
    """Read `settings_type` from TOML `text` and the environment; ConfigError names what is wrong.

    A variable that begins with OTTLA_ but names no setting is reported, not refused: container
    platforms inject such names for services of theirs.
    """
    environment = environment or {}
    by_name = {spec.name: (field, spec) for field, spec in fields_and_specs(settings_type)}
    tables = _tables(settings_type)
    names = {**by_name, **tables}
    values: dict[str, Any] = {}
    sources: dict[str, str] = {}
    for name, value in _flatten(_parse(text, file_name)):
        where = f"{file_name}, line {_line_of(text, name)}"
        if name in tables:
            field, find_fault = tables[name]
            values.setdefault(field.name, {})[name] = _checked(_shown(value), find_fault, where)
        elif name in by_name:
            field, spec = by_name[name]
            values[field.name] = _convert(value, field, spec, where)
        else:
            raise ConfigError(f"{where}: unknown setting '{name}'{_suggestion(name, names)}")
        sources[name] = where
    variables = {environment_name(name): name for name in names}
    for variable in sorted(environment):
        if variable not in variables:
            continue
        name, text = variables[variable], environment[variable]
        if name in tables:
            field, find_fault = tables[name]
            values.setdefault(field.name, {})[name] = _checked(text, find_fault, variable)
        else:
            field, spec = by_name[name]
            values[field.name] = _convert(text, field, spec, variable)
        sources[name] = variable
    for field, spec in by_name.values():
        if spec.required and field.name not in values:
            raise ConfigError(
                f"{file_name}: setting '{spec.name}' is missing ({spec.documentation}); "
                f"add it to the file or set {environment_name(spec.name)}"
            )
    unknown = tuple(
        variable
        for variable in sorted(environment)
        if variable.startswith("OTTLA_") and variable not in variables
    )
    return Loaded(settings_type(**values), sources, unknown)


def with_texts(settings: Settings, texts: Mapping[str, str]) -> Settings:
    """`settings` with others in the place of those named in `texts`; ConfigError for a bad value or
    an unknown name."""
    by_name = {spec.name: (field, spec) for field, spec in fields_and_specs(type(settings))}
    values: dict[str, Any] = {}
    for name, text in texts.items():
        if name not in by_name:
            raise ConfigError(f"unknown setting '{name}'{_suggestion(name, by_name)}")
        field, spec = by_name[name]
        values[field.name] = _convert(text, field, spec, "set at run time")
    return dataclasses.replace(settings, **values)  # type: ignore[type-var]


def _parse(text: str, file_name: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{file_name} is not valid TOML: {error}") from None


def _flatten(table: Mapping[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    pairs: list[tuple[str, Any]] = []
    for key, value in table.items():
        name = f"{prefix}{key}"
        if isinstance(value, dict):
            pairs.extend(_flatten(value, f"{name}."))
        else:
            pairs.append((name, value))
    return pairs


def _line_of(text: str, name: str) -> int:
    """The line that sets `name`, written flat, dotted or inside a table (1 when not found)."""
    table = ""
    for number, line in enumerate(text.splitlines(), start=1):
        stripped = line.strip()
        if header := re.match(r"\[([^\[\]]+)\]", stripped):
            table = _bare(header[1]) + "."
        elif (assignment := re.match(r"([^=#]+)=", stripped)) and table + _bare(
            assignment[1]
        ) == name:
            return number
    return 1


def _bare(key: str) -> str:
    return re.sub(r"[\s\"']", "", key)


def _suggestion(name: str, known: Mapping[str, object]) -> str:
    close = difflib.get_close_matches(name, known, n=3, cutoff=0.6)
    return f"; did you mean {' or '.join(close)}?" if close else ""


def _checked(value: str, find_fault: FindFault, where: str) -> str:
    fault = find_fault(value)
    if fault is not None:
        raise ConfigError(f"{where}: {fault}")
    return value


def _convert(value: Any, field: dataclasses.Field[Any], spec: SettingSpec, where: str) -> Any:
    kind = field.type if isinstance(field.type, str) else getattr(field.type, "__name__", "")
    try:
        converted = _converted(value, kind)
    except ValueError as error:
        raise ConfigError(f"{where}: {spec.name} must be {error}, not {value!r}") from None
    if spec.choices:
        for item in converted if isinstance(converted, tuple) else (converted,):
            if item not in spec.choices:
                allowed = ", ".join(spec.choices)
                raise ConfigError(f"{where}: {spec.name} must be one of {allowed}, not {item!r}")
    if isinstance(converted, int) and not isinstance(converted, bool):
        low, high = spec.minimum, spec.maximum
        if (low is not None and converted < low) or (high is not None and converted > high):
            raise ConfigError(f"{where}: {spec.name} must be {_range(low, high)}, not {converted}")
    return converted


def _range(low: int | None, high: int | None) -> str:
    if low is not None and high is not None:
        return f"between {low} and {high}"
    return f"at least {low}" if low is not None else f"at most {high}"


def _converted(value: Any, kind: str) -> Any:
    if kind == "bool":
        if isinstance(value, bool):
            return value
        if isinstance(value, str) and value.lower() in _TRUE | _FALSE:
            return value.lower() in _TRUE
        raise ValueError("true or false")
    if kind.startswith("int"):
        if isinstance(value, int) and not isinstance(value, bool):
            return value
        if isinstance(value, str) and re.fullmatch(r"\s*-?\d+\s*", value):
            return int(value)
        raise ValueError("a whole number")
    if kind.startswith("tuple"):
        if isinstance(value, str):
            return tuple(item.strip() for item in value.split(",") if item.strip())
        if isinstance(value, list) and all(isinstance(item, str) for item in value):
            return tuple(value)
        raise ValueError("a list of strings, or one string with commas")
    if isinstance(value, str):
        return value
    raise ValueError("a string")
