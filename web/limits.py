"""How often one client may ask: a moving window, kept in memory."""

from __future__ import annotations

import ipaddress
import math
import time

from limits import RateLimitItem, parse
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

READS_PER_QUESTION = 10
"""Opening quotes is cheap and goes with every answer, so it gets a wider allowance."""


class ClientLimits:
    """Counts calls a client and a kind of call ("ask", "search", …)."""

    def __init__(self, rate: str) -> None:
        self._rate = parse(rate)
        self._reads = type(self._rate)(
            self._rate.amount * READS_PER_QUESTION, self._rate.multiples
        )
        self._window = MovingWindowRateLimiter(MemoryStorage())

    def seconds_to_wait(self, client: str, call: str) -> int:
        """0 where the call may go ahead (and is counted), else whole seconds until it may."""
        rate: RateLimitItem = self._reads if call == "read" else self._rate
        key = _client_key(client)
        if self._window.hit(rate, call, key):
            return 0
        reset = self._window.get_window_stats(rate, call, key).reset_time
        return max(1, math.ceil(reset - time.time()))


def _client_key(client: str) -> str:
    """The address; of IPv6 the /64, which is what one subscriber holds."""
    try:
        address = ipaddress.ip_address(client)
    except ValueError:
        return client or "unknown"
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is None:
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address)
