"""Emits the functions that write structures.

A writer takes a sequence of structures, so that a whole array costs one call. Fields of fixed size
that stand together are packed by one call; the empty list of tagged fields that ends a flexible
structure is a pad byte of the last pack.
"""

from __future__ import annotations

from ottla.protocol.generation.code import (
    Code,
    branch_heads,
    condition_of,
    default_literal,
    function_name,
    mode_versions,
    runs_of,
)
from ottla.protocol.generation.schema import (
    FIXED_CODES,
    Field,
    MessageSchema,
    Structure,
)


def carries_parts(message: MessageSchema, structure: Structure) -> bool:
    """Whether a record source may sit in `structure` or below it (responses only)."""
    return message.kind == "response" and any(
        line.type == "records"
        or (line.structure and carries_parts(message, message.structures[line.type]))
        for line in structure.fields
    )


def emit_writer(code: Code, message: MessageSchema, structure: Structure, flexible: bool) -> None:
    """Append the writer of `structure` for its flexible or its classic versions."""
    _Writer(code, message, structure, flexible).emit()


class _Writer:
    def __init__(
        self, code: Code, message: MessageSchema, structure: Structure, flexible: bool
    ) -> None:
        self.code = code
        self.message = message
        self.structure = structure
        self.flexible = flexible
        self.versions = mode_versions(message, structure, flexible)
        in_mode = [line for line in structure.fields if line.versions & self.versions]
        self.tagged = sorted(
            (line for line in in_mode if line.tag is not None), key=lambda line: line.tag or 0
        )
        self.ordered = [line for line in in_mode if line.tag is None]
        self.never = [line for line in structure.fields if line not in in_mode]

    def emit(self) -> None:
        code, structure = self.code, self.structure
        name = function_name("write", structure, self.flexible)
        parts = ", parts: list[Part] | None" if carries_parts(self.message, structure) else ""
        with code.block(
            f"def {name}(out: bytearray, items: Sequence[{structure.name}], version: int{parts})"
            " -> None:"
        ):
            before = len(code.lines)
            with code.block("for item in items:"):
                for line in self.never:
                    self._refuse(line)
                self._body()
            if len(code.lines) == before + 1:
                # Versions without any field: nothing to loop for.
                code.lines[-1] = "    pass"
        code.add()
        code.add()

    def _body(self) -> None:
        together: list[Field] = []
        for line in self.ordered:
            if line.fixed:
                together.append(line)
                continue
            self._run(together, [])
            together = []
            condition = condition_of(line.versions, self.versions)
            with self.code.when(condition):
                self._value(line, f"item.{line.attribute}", "out")
            if condition is not None and not line.ignorable:
                with self.code.block(f"elif {_is_set(line)}:"):
                    self.code.add(f'raise absent_fault("{self._label(line)}", version)')
        self._run(together, ["x"] if self.flexible and not self.tagged else [])
        if self.tagged:
            self._tags()

    def _run(self, fields: list[Field], tail: list[str]) -> None:
        for head, run in branch_heads(runs_of(fields, None, self.versions)):
            if head is None:
                self._branch(run.present, run.absent, tail)
                continue
            before = len(self.code.lines)
            with self.code.block(head):
                self._branch(run.present, run.absent, tail)
                if len(self.code.lines) == before + 1 and head != "else:":
                    self.code.add("pass")
            if len(self.code.lines) == before + 1:
                self.code.lines.pop()

    def _branch(
        self, present: tuple[Field, ...], absent: tuple[Field, ...], tail: list[str]
    ) -> None:
        code = self.code
        for line in absent:
            self._refuse(line)
        codes = [FIXED_CODES[line.type] for line in present] + tail
        if not codes:
            return
        if codes == ["x"]:
            code.add("out.append(0)")
            return
        values = ", ".join(f"item.{line.attribute}" for line in present)
        code.add(f"out += {code.packer(codes)}({values})")

    def _refuse(self, line: Field) -> None:
        """Raise when a field that these versions lack would be lost."""
        if line.ignorable:
            return
        with self.code.block(f"if {_is_set(line)}:"):
            self.code.add(f'raise absent_fault("{self._label(line)}", version)')

    def _label(self, line: Field) -> str:
        return f"{self.structure.name}.{line.attribute}"

    def _value(self, line: Field, source: str, out: str) -> None:
        """Write the length and the content of a field of variable size."""
        code = self.code
        compact = self.flexible and line.flexible
        if line.structure and not line.array:
            self._single(line, source, out)
            return
        known_set = line.tag is not None and default_literal(line) == "None"
        if not line.nullable or known_set:
            self._content(line, source, out, compact)
            return
        local = f"values_{line.attribute}"
        code.add(f"{local} = {source}")
        with code.block(f"if {local} is None:"):
            strict = condition_of(line.nullable, line.versions & self.versions)
            if strict is not None:
                with code.block(f"if not ({strict}):"):
                    code.add(f'raise null_value_fault("{self._label(line)}", version)')
            self._null(line, out, compact)
        with code.block("else:"):
            self._content(line, local, out, compact)

    def _null(self, line: Field, out: str, compact: bool) -> None:
        if compact:
            self.code.add(f"{out}.append(0)")
        elif line.type == "string" and not line.array:
            self.code.add(f'{out} += b"\\xff\\xff"')
        else:
            self.code.add(f'{out} += b"\\xff\\xff\\xff\\xff"')

    def _content(self, line: Field, local: str, out: str, compact: bool) -> None:
        code = self.code
        if line.type == "records":
            writer = "write_compact_records" if compact else "write_records"
            parts = "parts" if carries_parts(self.message, self.structure) else "None"
            code.add(f"{writer}({out}, {local}, {parts})")
            return
        content = local
        if line.type == "string" and not line.array:
            code.add(f"raw = {local}.encode()")
            content = "raw"
        self._length(line, f"len({content})", out, compact)
        if not line.array:
            code.add(f"{out} += {content}")
            return
        with code.block(f"if {content}:"):
            if line.structure:
                writer = function_name("write", line.type, self.flexible)
                parts = (
                    ", parts"
                    if carries_parts(self.message, self.message.structures[line.type])
                    else ""
                )
                code.add(f"{writer}({out}, {content}, version{parts})")
            else:
                shape = "compact_string" if line.type == "string" and compact else line.type
                code.add(f"write_{shape}_array({out}, {content})")

    def _length(self, line: Field, length: str, out: str, compact: bool) -> None:
        code = self.code
        if not compact:
            packer = code.packer(["h" if line.type == "string" and not line.array else "i"])
            code.add(f"{out} += {packer}({length})")
            return
        code.add(f"n = {length} + 1")
        with code.block("if n < 128:"):
            code.add(f"{out}.append(n)")
        with code.block("else:"):
            code.add(f"write_uvarint({out}, n)")

    def _single(self, line: Field, source: str, out: str) -> None:
        code = self.code
        writer = function_name("write", line.type, self.flexible)
        nested = self.message.structures[line.type]
        parts = ", parts" if carries_parts(self.message, nested) else ""
        if not line.nullable:
            code.add(f"{writer}({out}, ({source},), version{parts})")
            return
        with code.block(f"if {source} is None:"):
            code.add(f"{out}.append(255)")
        with code.block("else:"):
            code.add(f"{out}.append(1)")
            code.add(f"{writer}({out}, ({source},), version{parts})")

    def _tags(self) -> None:
        code = self.code
        for line in self.tagged:
            condition = condition_of(line.versions, self.versions)
            if condition is not None and not line.ignorable:
                with code.block(f"if not ({condition}) and {_is_set(line)}:"):
                    code.add(f'raise absent_fault("{self._label(line)}", version)')
        if len(self.tagged) == 1:
            with code.block(f"if {self._tag_test(self.tagged[0])}:"):
                code.add("out.append(1)")
                self._tagged_value(self.tagged[0])
            with code.block("else:"):
                code.add("out.append(0)")
            return
        code.add("tags = 0")
        for line in self.tagged:
            with code.block(f"if {self._tag_test(line)}:"):
                code.add("tags += 1")
        code.add("out.append(tags)")
        with code.block("if tags:"):
            for line in self.tagged:
                with code.block(f"if {self._tag_test(line)}:"):
                    self._tagged_value(line)

    def _tagged_value(self, line: Field) -> None:
        code = self.code
        if line.fixed:
            packer = code.packer([FIXED_CODES[line.type]])
            code.add(f"write_tagged(out, {line.tag}, {packer}(item.{line.attribute}))")
            return
        code.add("content = bytearray()")
        self._value(line, f"item.{line.attribute}", "content")
        code.add(f"write_tagged(out, {line.tag}, content)")

    def _tag_test(self, line: Field) -> str:
        condition = condition_of(line.versions, self.versions)
        return (f"{condition} and " if condition else "") + _is_set(line)


def _is_set(line: Field) -> str:
    """What tells that a field holds something else than its default."""
    value = f"item.{line.attribute}"
    default = default_literal(line)
    if default == "None":
        return f"{value} is not None"
    if default == "False":
        return value
    if default == "True":
        return f"not {value}"
    if default in ("[]", '""', 'b""'):
        return value
    return f"{value} != {default}"
