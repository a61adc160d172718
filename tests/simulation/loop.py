"""An asyncio event loop on virtual time, and the processes that share it.

Time jumps to the next timer, so a virtual minute costs what its callbacks cost. Every callback has
a context, and the context names the process that it belongs to; so one loop runs the unchanged code
of many nodes, and a whole process can be

    paused    its callbacks are held back, in order, until it goes on (SIGSTOP)
    dead      they are held back for ever (SIGKILL): no `finally` of it runs

Each process has a clock of its own, with an offset and a rate: `loop.time()` is the time of who
asks. Order is first in, first out, and sets of tasks and futures are ordered by their number, so
that a run depends on its seed alone (and on PYTHONHASHSEED, which the command fixes).
"""

from __future__ import annotations

import asyncio
import contextvars
import heapq
import itertools
from collections import deque
from collections.abc import Callable, Coroutine
from enum import Enum
from typing import Any, TypeVarTuple

from storage.vfs import SimulatedCrash

_Ts = TypeVarTuple("_Ts")

EPOCH_MS = 1_700_000_000_000
"""Wall time at the start of a run."""


class _Future(asyncio.Future[Any]):
    """Hashed by a number: sets of futures are walked in the same order in every run."""

    def __init__(self, *, loop: VirtualLoop) -> None:
        super().__init__(loop=loop)
        self._serial = next(loop.serials)

    def __hash__(self) -> int:
        return self._serial

    def __eq__(self, other: object) -> bool:
        return self is other


class _Task(asyncio.Task[Any]):
    """The same for tasks."""

    def __init__(
        self, coro: Coroutine[Any, Any, Any], *, loop: VirtualLoop, **options: Any
    ) -> None:
        self._serial = next(loop.serials)
        super().__init__(coro, loop=loop, **options)

    def __hash__(self) -> int:
        return self._serial

    def __eq__(self, other: object) -> bool:
        return self is other


class State(Enum):
    RUNNING = "running"
    PAUSED = "paused"
    DEAD = "dead"


class Process:
    """One run of a program on a host; also its clock (ottla.core.clock.Clock)."""

    def __init__(
        self, loop: VirtualLoop, host: str, *, rate: float = 1.0, offset_s: float = 0.0
    ) -> None:
        self.loop = loop
        self.host = host
        self.state = State.RUNNING
        self.rate = rate
        """Seconds of its clock in a second of true time."""
        self.offset_s = offset_s
        self.wall_jump_ms = 0
        self.held: deque[asyncio.Handle] = deque()
        self.tasks: set[asyncio.Task[Any]] = set()
        self.after: Callable[[], None] | None = None
        """Called after each of its callbacks."""
        self.disk_delay: Callable[[], tuple[float, float]] = lambda: (0.0, 0.0)
        """How long work in its threads takes, in seconds: before and after it is done."""
        self.context = contextvars.copy_context()
        self.context.run(PROCESS.set, self)

    @property
    def running(self) -> bool:
        return self.state is State.RUNNING

    @property
    def alive(self) -> bool:
        return self.state is not State.DEAD

    def now_ms(self) -> int:
        return int(self.local(self.loop.now) * 1000)

    def timestamp_ms(self) -> int:
        return EPOCH_MS + self.now_ms() + self.wall_jump_ms

    def local(self, now: float) -> float:
        return now * self.rate + self.offset_s

    def true(self, local: float) -> float:
        return (local - self.offset_s) / self.rate

    def spawn(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Run `work` in this process; whoever calls may be any other, or the world."""
        task = self.loop.create_task(work, context=self.context.copy())
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard, context=self.context)
        return task

    def pause(self) -> None:
        if self.state is State.RUNNING:
            self.state = State.PAUSED

    def resume(self) -> None:
        if self.state is State.PAUSED:
            self.state = State.RUNNING
            self.loop.ready.extend(self.held)
            self.held.clear()

    def kill(self) -> None:
        self.state = State.DEAD


PROCESS: contextvars.ContextVar[Process | None] = contextvars.ContextVar("process", default=None)
WORLD = contextvars.Context()
"""What belongs to no process: the network, the faults."""


class Stalled(Exception):
    """Nothing is left that could happen."""


class VirtualLoop(asyncio.BaseEventLoop):
    """See the module. `now` is true time in seconds."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.serials = itertools.count()
        self.ready: deque[asyncio.Handle] = deque()
        self.callbacks = 0
        self.timers_fired = 0
        self.jobs_done = 0
        self.failure: BaseException | None = None
        """Set by whoever finds that something is wrong: ends the run."""
        self.over = False
        """Nothing is wrong any more, whatever happens."""
        self._timers: list[tuple[float, int, asyncio.TimerHandle]] = []
        self._numbers = itertools.count()
        self.set_task_factory(_task)
        self.set_exception_handler(_note_exception)

    # ---- what asyncio asks

    def time(self) -> float:
        process = PROCESS.get()
        return self.now if process is None else process.local(self.now)

    def create_future(self) -> asyncio.Future[Any]:
        return _Future(loop=self)

    def call_soon(
        self,
        callback: Callable[[*_Ts], object],
        *args: *_Ts,
        context: contextvars.Context | None = None,
    ) -> asyncio.Handle:
        handle = asyncio.Handle(callback, args, self, context)
        self.ready.append(handle)
        return handle

    def call_soon_threadsafe(
        self,
        callback: Callable[[*_Ts], object],
        *args: *_Ts,
        context: contextvars.Context | None = None,
    ) -> asyncio.Handle:
        return self.call_soon(callback, *args, context=context)

    def call_later(
        self,
        delay: float,
        callback: Callable[[*_Ts], object],
        *args: *_Ts,
        context: contextvars.Context | None = None,
    ) -> asyncio.TimerHandle:
        return self.call_at(self.time() + delay, callback, *args, context=context)

    def call_at(
        self,
        when: float,
        callback: Callable[[*_Ts], object],
        *args: *_Ts,
        context: contextvars.Context | None = None,
    ) -> asyncio.TimerHandle:
        process = PROCESS.get()
        true = when if process is None else process.true(when)
        handle = asyncio.TimerHandle(when, callback, args, self, context)
        heapq.heappush(self._timers, (true, next(self._numbers), handle))
        return handle

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        pass  # it is passed over when its time comes

    def run_in_executor(  # type: ignore[override]
        self, executor: object, func: Callable[..., Any], *args: Any
    ) -> asyncio.Future[Any]:
        """A thread's work, done at one moment within the time that it takes."""
        process = PROCESS.get()
        future = self.create_future()
        before, after = (0.0, 0.0) if process is None else process.disk_delay()

        def work() -> None:
            self.jobs_done += 1
            try:
                result = func(*args)
            except SimulatedCrash:
                return  # the disk has told whom it ended
            except Exception as error:
                self.call_later(after, _fail, future, error)
            else:
                self.call_later(after, _succeed, future, result)

        self.call_later(before, work)
        return future

    # ---- the world

    def schedule(self, delay: float, callback: Callable[..., object], *args: Any) -> None:
        """Let something happen outside of all processes, after `delay` seconds of true time."""
        handle = asyncio.TimerHandle(self.now + delay, callback, args, self, WORLD)
        heapq.heappush(self._timers, (self.now + delay, next(self._numbers), handle))

    def fail(self, failure: BaseException) -> None:
        if self.failure is None and not self.over:
            self.failure = failure

    def _run_once(self) -> None:
        ready = self.ready
        if ready:
            handle = ready.popleft()
            timer = False
        else:
            timers = self._timers
            while timers and timers[0][2].cancelled():
                heapq.heappop(timers)
            if not timers:
                raise Stalled
            when, _, handle = heapq.heappop(timers)
            if when > self.now:
                self.now = when
            timer = True
        if handle._cancelled:
            return
        process = handle._context.get(PROCESS)  # type: ignore[attr-defined]
        if process is None:
            self.callbacks += 1
            handle._run()
        elif process.state is State.RUNNING:
            self.callbacks += 1
            self.timers_fired += timer
            handle._run()
            if process.after is not None:
                process.after()
        else:
            process.held.append(handle)
        if self.failure is not None:
            failure, self.failure = self.failure, None
            raise failure

    def _process_events(self, event_list: Any) -> None:
        pass

    def _write_to_self(self) -> None:
        pass


def _task(loop: asyncio.AbstractEventLoop, coro: Any, **options: Any) -> asyncio.Task[Any]:
    assert isinstance(loop, VirtualLoop)
    return _Task(coro, loop=loop, **options)


def _succeed(future: asyncio.Future[Any], result: object) -> None:
    if not future.done():
        future.set_result(result)


def _fail(future: asyncio.Future[Any], error: BaseException) -> None:
    if not future.done():
        future.set_exception(error)


class Unhandled(Exception):
    """An exception that nobody caught, in a callback or a task."""


def _note_exception(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    error = context.get("exception")
    process = PROCESS.get()
    where = "the world" if process is None else process.host
    unhandled = Unhandled(f"in {where}: {context.get('message')}: {error!r}")
    unhandled.__cause__ = error
    assert isinstance(loop, VirtualLoop)
    loop.fail(unhandled)
