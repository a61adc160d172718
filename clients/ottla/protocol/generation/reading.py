"""Emits the functions that read structures.

A reader takes a number of structures and returns their list, so that a whole array costs one call.
Fields of fixed size that stand together, and the length that comes behind them, are unpacked by one
call; where versions differ, the branch is over the whole run.
"""

from __future__ import annotations

from ottla.protocol.generation.code import (
    Code,
    branch_heads,
    condition_of,
    default_literal,
    function_name,
    length_code,
    local_name,
    mode_versions,
    python_type,
    runs_of,
    size_min,
)
from ottla.protocol.generation.schema import (
    FIXED_CODES,
    FIXED_SIZES,
    Field,
    MessageSchema,
    SchemaError,
    Structure,
)

_CODE_SIZES = {"b": 1, "B": 1, "h": 2, "i": 4}


def emit_reader(code: Code, message: MessageSchema, structure: Structure, flexible: bool) -> None:
    """Append the reader of `structure` for its flexible or its classic versions."""
    _Reader(code, message, structure, flexible).emit()


class _Reader:
    def __init__(
        self, code: Code, message: MessageSchema, structure: Structure, flexible: bool
    ) -> None:
        self.code = code
        self.message = message
        self.structure = structure
        self.flexible = flexible
        self.versions = mode_versions(message, structure, flexible)
        in_mode = [line for line in structure.fields if line.versions & self.versions]
        self.tagged = [line for line in in_mode if line.tag is not None]
        self.ordered = [line for line in in_mode if line.tag is None]
        self.never = [line for line in structure.fields if line not in in_mode]

    def emit(self) -> None:
        code, structure = self.code, self.structure
        name = function_name("read", structure, self.flexible)
        with code.block(
            f"def {name}(data: Buffer, position: int, count: int, version: int)"
            f" -> tuple[list[{structure.name}], int]:"
        ):
            if structure is not self.message.root:
                size = size_min(self.message, structure, self.flexible)
                if size == 0:
                    raise SchemaError(f"{self.message.name}: {structure.name} can be empty")
                claimed = "count" if size == 1 else f"count * {size}"
                with code.block(f"if position + {claimed} > len(data):"):
                    code.add(f'raise count_fault("{structure.name}", count)')
            code.add(f"items: list[{structure.name}] = []")
            for line in self.ordered + self.tagged:
                kind = python_type(line, response=False)
                if not line.fixed:
                    code.add(f"{local_name(line)}: {kind}")
            with code.block("for _ in range(count):"):
                self._body()
                arguments = ", ".join(
                    default_literal(line) if line in self.never else local_name(line)
                    for line in structure.fields
                )
                code.add(f"items.append({structure.name}({arguments}))")
            code.add("return items, position")
        code.add()
        code.add()

    def _body(self) -> None:
        together: list[Field] = []
        for line in self.ordered:
            if line.fixed:
                together.append(line)
                continue
            announced = length_code(line, self.flexible)
            if together:
                self._run(together, line, announced)
                announced = ""
            together = []
            self._variable(line, announced)
        self._run(together, None, "B" if self.flexible else "")
        if self.flexible:
            self._tags()

    def _run(self, fields: list[Field], behind: Field | None, code_behind: str) -> None:
        """Unpack `fields` and what announces the field behind them."""
        target = "tags" if behind is None else "n"
        for head, run in branch_heads(runs_of(fields, behind, self.versions)):
            follows = code_behind if run.follows or behind is None else ""
            if head is None:
                self._branch(run.present, run.absent, follows, target)
                continue
            with self.code.block(head):
                self._branch(run.present, run.absent, follows, target)

    def _branch(
        self,
        present: tuple[Field, ...],
        absent: tuple[Field, ...],
        code_behind: str,
        target: str,
    ) -> None:
        self._unpack(list(present), code_behind, target)
        for line in absent:
            self.code.add(f"{local_name(line)} = {default_literal(line)}")

    def _unpack(self, fields: list[Field], code_behind: str, target: str) -> None:
        code = self.code
        codes = [FIXED_CODES[line.type] for line in fields]
        names = [local_name(line) for line in fields]
        size = sum(FIXED_SIZES[line.type] for line in fields)
        if code_behind:
            codes.append(code_behind)
            names.append(target)
            size += _CODE_SIZES[code_behind]
        if not codes:
            return
        if codes == ["B"]:
            code.add(f"{names[0]} = data[position]")
            code.add("position += 1")
            return
        targets = ", ".join(names) if len(names) > 1 else f"({names[0]},)"
        code.add(f"{targets} = {code.unpacker(codes)}(data, position)")
        code.add(f"position += {size}")

    def _variable(self, line: Field, announced: str) -> None:
        """Read a field of variable size; `announced`: its length is still to be read."""
        condition = condition_of(line.versions, self.versions)
        with self.code.when(condition):
            if announced:
                self._unpack([], announced, "n")
            self._value(line, local_name(line))
        if condition is not None:
            with self.code.block("else:"):
                self.code.add(f"{local_name(line)} = {default_literal(line)}")

    def _value(self, line: Field, name: str) -> None:
        """Read the content of a field of variable size; its length is in `n`."""
        code = self.code
        if line.structure and not line.array:
            self._single(line, name)
            return
        compact = self.flexible and line.flexible
        label = f"{self.structure.name}.{line.attribute}"
        if line.nullable:
            if compact:
                with code.block("if n > 127:"):
                    code.add("n, position = long_uvarint(data, position, n)")
            with code.block("if n == 0:" if compact else "if n < 0:"):
                strict = condition_of(line.nullable, line.versions & self.versions)
                if strict is not None:
                    with code.block(f"if not ({strict}):"):
                        code.add(f'raise null_fault("{label}")')
                code.add(f"{name} = None")
            with code.block("else:"):
                self._content(line, name, compact)
        else:
            if compact:
                with code.block("if not 0 < n < 128:"):
                    code.add(f'n, position = long_length(data, position, n, "{label}")')
            else:
                with code.block("if n < 0:"):
                    code.add(f'raise null_fault("{label}")')
            self._content(line, name, compact)

    def _content(self, line: Field, name: str, compact: bool) -> None:
        code = self.code
        count = "n - 1" if compact else "n"
        if line.array:
            if line.structure:
                reader = function_name("read", line.type, self.flexible)
                code.add(f"{name}, position = {reader}(data, position, {count}, version)")
                return
            shape = "compact_string" if line.type == "string" and compact else line.type
            code.add(f"{name}, position = read_{shape}_array(data, position, {count})")
            return
        code.add(f"end = position + {count}")
        piece = "data[position:end]"
        if line.type == "string":
            code.add(f'{name} = str({piece}, "utf-8")')
        elif line.type == "bytes":
            code.add(f"{name} = bytes({piece})")
        else:
            code.add(f"{name} = memoryview(data)[position:end]")
        code.add("position = end")

    def _single(self, line: Field, name: str) -> None:
        code = self.code
        reader = function_name("read", line.type, self.flexible)
        call = f"({name},), position = {reader}(data, position, 1, version)"
        if not line.nullable:
            code.add(call)
            return
        with code.block("if n < 0:"):
            code.add(f"{name} = None")
        with code.block("else:"):
            code.add(call)

    def _tags(self) -> None:
        code = self.code
        if not self.tagged:
            with code.block("if tags:"):
                code.add("position = skip_tags(data, position, tags)")
            return
        for line in self.tagged:
            code.add(f"{local_name(line)} = {default_literal(line)}")
        with code.block("if tags:"):
            with code.block("if tags > 127:"):
                code.add("tags, position = long_uvarint(data, position, tags)")
            with code.block("for _ in range(tags):"):
                code.add("tag, position, tag_end = read_tag(data, position)")
                word = "if"
                for line in self.tagged:
                    condition = condition_of(line.versions, self.versions)
                    test = f"tag == {line.tag}" + (f" and {condition}" if condition else "")
                    with code.block(f"{word} {test}:"):
                        self._tagged_value(line)
                    word = "elif"
                with code.block("else:"):
                    code.add("position = tag_end")
                with code.block("if position != tag_end:"):
                    code.add(f'raise tag_fault("{self.structure.name}", tag)')

    def _tagged_value(self, line: Field) -> None:
        if line.fixed:
            self._unpack([line], "", "")
            return
        announced = length_code(line, self.flexible)
        if announced:
            self._unpack([], announced, "n")
        self._value(line, local_name(line))
