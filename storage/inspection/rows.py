"""Rows of a dump as lines of text, or as JSON objects. Pure."""

from __future__ import annotations

import json
from typing import Any

from storage.inspection.dump import Row

SHOWN_CHARACTERS_MAX = 100
"""Of a key or value, unless it is asked for in full."""


def row_json(row: Row) -> str:
    """One line; bytes are text where they are UTF-8, else `…_hex`."""
    shown: dict[str, Any] = {}
    for name, value in row.items():
        if isinstance(value, bytes):
            shown.update(_json_bytes(name, value))
        elif name == "headers":
            shown[name] = [{"name": key, **_json_bytes("value", header)} for key, header in value]
        else:
            shown[name] = value
    return json.dumps(shown, ensure_ascii=False)


def row_text(row: Row, *, full: bool) -> str:
    """One line; bytes are text without control characters where they are UTF-8, else hex."""
    match row["type"]:
        case "batch":
            return _batch_text(row)
        case "record":
            return _record_text(row, full=full)
        case "offset":
            return f"offset {row['last_offset']} ends the batch at byte {row['position']}"
        case "time":
            return f"timestamp {row['timestamp']} came with offset {row['last_offset']}"
        case "transaction":
            return (
                f"producer {row['producer_id']} aborted offsets {row['first_offset']} to "
                f"{row['last_offset']}, last stable offset {row['last_stable_offset']}"
            )
        case _:
            return _checkpoint_text(row)


def _batch_text(row: Row) -> str:
    parts = [
        f"byte {row['position']}",
        f"offsets {row['base_offset']} to {row['last_offset']}",
        f"{row['records']} records",
        f"{row['size']} bytes",
        f"epoch {row['leader_epoch']}",
        row["compression"],
        f"{row['timestamp_type']} {row['base_timestamp']} to {row['max_timestamp']}",
    ]
    if row["producer_id"] is not None:
        parts.append(f"producer {row['producer_id']} epoch {row['producer_epoch']}")
        if row["base_sequence"] >= 0:
            parts.append(f"sequences {row['base_sequence']} to {row['last_sequence']}")
    parts += [name for name in ("transactional", "control") if row[name]]
    if row["delete_horizon_ms"] is not None:
        parts.append(f"delete horizon {row['delete_horizon_ms']}")
    parts.append("crc ok" if row["crc_ok"] else "CRC WRONG")
    return " · ".join(parts)


def _record_text(row: Row, *, full: bool) -> str:
    parts = [f"  offset {row['offset']}", f"time {row['timestamp']}"]
    if "control" in row:
        parts.append(f"marker {row['control']}")
        if "coordinator_epoch" in row:
            parts.append(f"coordinator epoch {row['coordinator_epoch']}")
        return " · ".join(parts)
    parts.append(f"key {bytes_text(row['key'], full=full)}")
    parts.append(f"value {bytes_text(row['value'], full=full)}")
    parts += [
        f"header {bytes_text(name.encode(), full=full)}={bytes_text(value, full=full)}"
        for name, value in row["headers"]
    ]
    return " · ".join(parts)


def _checkpoint_text(row: Row) -> str:
    points = [
        f"{name} {row[field]}"
        for name, field in (
            ("recovery point", "recovery_point"),
            ("index point", "index_point"),
            ("log start", "log_start_offset"),
            ("high watermark", "high_watermark"),
            ("compacted below", "clean_offset"),
        )
        if row[field] is not None
    ]
    lines = [f"{row['folder']}: {', '.join(points) or 'nothing is remembered'}"]
    lines += [
        f"  leader epoch {entry['leader_epoch']} from offset {entry['start_offset']}"
        for entry in row["leader_epochs"]
    ]
    for snapshot in row["producer_snapshots"]:
        lines.append(
            f"  producers below offset {snapshot['offset']}: "
            + ("damaged" if snapshot["damaged"] else str(len(snapshot["producers"])))
        )
        for producer in snapshot["producers"]:
            line = (
                f"    producer {producer['producer_id']} epoch {producer['producer_epoch']}, last "
                f"sequence {producer['last_sequence']}"
            )
            if producer["transaction_first_offset"] is not None:
                line += f", open transaction from {producer['transaction_first_offset']}"
            lines.append(line)
    return "\n".join(lines)


def bytes_text(data: bytes | None, *, full: bool) -> str:
    """Never with a control character in it, so that no terminal obeys a record."""
    if data is None:
        return "null"
    try:
        text = data.decode("utf-8")
        shown = "".join(c if c.isprintable() else _escaped(c) for c in text)
        shown = f"'{shown}'"
    except UnicodeDecodeError:
        shown = f"0x{data.hex()}"
    if not full and len(shown) > SHOWN_CHARACTERS_MAX:
        return f"{shown[:SHOWN_CHARACTERS_MAX]}… ({len(data)} bytes)"
    return shown


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")


def _json_bytes(name: str, data: bytes | None) -> dict[str, str | None]:
    if data is None:
        return {name: None}
    try:
        return {name: data.decode("utf-8")}
    except UnicodeDecodeError:
        return {f"{name}_hex": data.hex()}
