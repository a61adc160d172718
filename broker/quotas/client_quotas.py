"""The quotas of this broker's clients, and how fast each has been.

Each broker counts for itself, as Kafka does: a quota is what a client may have of every broker.
What is over is answered with the time to pause, and the connection is not read for that long
(KIP-219). Rates are kept for clients that have a quota alone, those used last when there are too
many.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Final, TypeAlias

from broker.control.metadata_cache import MetadataCache, MetadataDelta
from broker.quotas.bucket import TokenBucket
from broker.quotas.rate import WINDOW_MS, WINDOWS, WindowedRate
from broker.quotas.table import Client, Quota, QuotaKind, QuotaTable
from ottla.core.clock import Clock

RATES_MAX: Final = 10_000
THROTTLE_MS_MAX: Final = 30_000
"""The longest pause that one answer asks for; what is left is paused for at the next one."""
CLIENT_ID_CHARACTERS_MAX: Final = 255
"""By which clients are told apart; the names of quotas are no longer."""

_Key: TypeAlias = tuple[QuotaKind, tuple[str | None, str | None]]


class ClientQuotas:
    """See the module. Only touched on the event loop."""

    def __init__(
        self,
        cache: MetadataCache,
        clock: Clock,
        *,
        windows: int = WINDOWS,
        window_ms: int = WINDOW_MS,
        mutation_burst_seconds: int = WINDOWS,
    ) -> None:
        self.kinds: frozenset[QuotaKind] = frozenset()
        """Of which anybody has a quota; what is not here costs nothing."""
        self.throttles = dict.fromkeys(QuotaKind, 0)
        """How often a client had to pause, by what was too much."""
        self.throttled_ms = dict.fromkeys(QuotaKind, 0)
        self._cache = cache
        self._clock = clock
        self._windows = windows
        self._window_ms = window_ms
        self._mutation_burst_seconds = mutation_burst_seconds
        self._table = QuotaTable({})
        self._buckets: OrderedDict[_Key, tuple[float, TokenBucket]] = OrderedDict()
        self._rates: OrderedDict[_Key, WindowedRate] = OrderedDict()  # used longest ago first
        cache.subscribe(self._on_delta)

    def charge(self, kind: QuotaKind, client: Client, amount: float) -> int:
        """Count `amount`; how long the client has to pause for it, in ms."""
        quota = self._table.find(kind, client)
        if quota is None:
            return 0
        now_ms = self._clock.now_ms()
        rate = self._rate(kind, quota)
        rate.record(amount, now_ms)
        return self._bounded(kind, rate.throttle_ms(quota.limit, now_ms))

    def _bounded(self, kind: QuotaKind, throttle_ms: int) -> int:
        bounded_ms = min(throttle_ms, self._throttle_ms_max(kind))
        if bounded_ms:
            self.throttles[kind] += 1
            self.throttled_ms[kind] += bounded_ms
        return bounded_ms

    def maybe_charge(self, kind: QuotaKind, client: Client, amount: float) -> int:
        """Count `amount` when it is within the quota, and answer 0; else only the pause, in ms.

        What is more than is ever within goes when nothing went before it: it would wait for ever.
        """
        quota = self._table.find(kind, client)
        if quota is None:
            return 0
        now_ms = self._clock.now_ms()
        rate = self._rate(kind, quota)
        throttle_ms = rate.throttle_ms(quota.limit, now_ms, amount)
        if throttle_ms and not rate.is_idle:
            return self._bounded(kind, throttle_ms)
        rate.record(amount, now_ms)
        return 0

    def burst(self, kind: QuotaKind, client: Client) -> float | None:
        """The most that the client may ever have at once; None: as much as it likes."""
        quota = self._table.find(kind, client)
        return None if quota is None else self._rate(kind, quota).burst(quota.limit)

    def mutation_throttle_ms(self, client: Client) -> int:
        """How long until the client may make or delete partitions again; 0: it may."""
        bucket = self._bucket(client)
        return 0 if bucket is None else bucket.throttle_ms(self._clock.now_ms())

    def take_mutations(self, client: Client, partitions: int) -> None:
        """Count partitions made or deleted; fewer than none: they were not."""
        bucket = self._bucket(client)
        if bucket is not None:
            bucket.take(partitions, self._clock.now_ms())

    def pause_for_mutations(self, client: Client) -> int:
        """How long the client has to pause, in ms, which it then does."""
        return self._bounded(QuotaKind.MUTATION, self.mutation_throttle_ms(client))

    def _bucket(self, client: Client) -> TokenBucket | None:
        quota = self._table.find(QuotaKind.MUTATION, client)
        if quota is None:
            return None
        key, now_ms = (QuotaKind.MUTATION, quota.shared_by), self._clock.now_ms()
        limit, bucket = self._buckets.get(key, (None, None))
        if bucket is None:
            if len(self._buckets) >= RATES_MAX:
                self._buckets.popitem(last=False)
            bucket = TokenBucket(quota.limit, self._mutation_burst_seconds, now_ms)
        elif limit != quota.limit:
            bucket.set_rate(quota.limit, now_ms)
        self._buckets[key] = quota.limit, bucket
        self._buckets.move_to_end(key)
        return bucket

    def _throttle_ms_max(self, kind: QuotaKind) -> int:
        # Time that was used is not given back by waiting: a window is enough, as in Kafka.
        return self._window_ms if kind is QuotaKind.REQUEST else THROTTLE_MS_MAX

    def _rate(self, kind: QuotaKind, quota: Quota) -> WindowedRate:
        key = kind, quota.shared_by
        rate = self._rates.get(key)
        if rate is None:
            if len(self._rates) >= RATES_MAX:
                self._rates.popitem(last=False)
            rate = self._rates[key] = WindowedRate(self._windows, self._window_ms)
        else:
            self._rates.move_to_end(key)
        return rate

    def _on_delta(self, delta: MetadataDelta) -> None:
        if delta.quotas or delta.snapshot:
            self._table = QuotaTable(dict(self._cache.state.quotas))
            self.kinds = self._table.kinds
            if not self.kinds:
                self._rates.clear()
            if QuotaKind.MUTATION not in self.kinds:
                self._buckets.clear()


def client_of(principal: str, client_id: str | None) -> Client:
    """Whom a request is from; `principal` is ``type:name``."""
    return Client(
        principal.partition(":")[2] or principal, (client_id or "")[:CLIENT_ID_CHARACTERS_MAX]
    )
