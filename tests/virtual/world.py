# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The clock, and all that is going to happen: nothing takes any time but waiting, and waiting takes no time."""

from __future__ import annotations

import contextlib
import errno
import functools
import heapq
import itertools
import random
import socket
import time
import typing as t
import weakref
from unittest import mock

import greenlet
import time_machine

# When every world begins: 2026-01-01T00:00:00Z.
BEGIN = 1767225600.0
# No run may wait for longer than this, in virtual seconds.
LONGEST = 24 * 3600.0
HERE = "127.0.0.1"
NAMES = {"localhost": HERE}


class Killed(BaseException):
    """A run is at its end, wherever it is: as kill -9, but for ``finally``, so what it asks for then is refused too."""


class World:
    """Events in the order of their times, and of their making where these are the same.

    Whoever sleeps inside a run lets all others go on; whoever sleeps outside, such as a test, has time pass for all.
    """

    def __init__(self, now: float = BEGIN) -> None:
        self.now = now
        self._due: list[tuple[float, int, t.Callable[[], None]]] = []
        self._order = itertools.count()
        self._lines: dict[tuple[str, int], t.Callable[[float | None], t.Any]] = {}
        self._hub = greenlet.getcurrent()
        self._travel: t.Any = None
        self.killed: weakref.WeakSet[t.Any] = weakref.WeakSet()
        self._asleep: dict[t.Any, object] = {}
        self._around: t.MutableMapping[t.Any, t.Callable[[], t.ContextManager[None]]] = weakref.WeakKeyDictionary()

    @contextlib.contextmanager
    def entered(self) -> t.Iterator[World]:
        """Have the clock, sleep, connections and chance of this process be those of this world."""
        chance = random.getstate()
        random.seed(0)
        clock = time_machine.travel(self.now, tick=False)
        self._travel = clock.start()
        try:
            with (
                mock.patch.object(time, "sleep", self.sleep),
                mock.patch.object(time, "monotonic", self.monotonic),
                mock.patch.object(socket, "create_connection", self.connect),
            ):
                yield self
        finally:
            clock.stop()
            self._travel = None
            random.setstate(chance)

    def monotonic(self) -> float:
        """For how long there has been this world."""
        return self.now - BEGIN

    def listen(self, host: str, port: int, line: t.Callable[[float | None], t.Any]) -> None:
        """Have connections to host and port be what line makes of their timeout."""
        self._lines[host, port] = line

    def connect(self, address: tuple[str, int], timeout: float | None = None, *_unused: t.Any) -> t.Any:
        """A connection, as socket.create_connection makes it. Where nothing listens, only this machine says so."""
        self.alive()
        host, port = address
        line = self._lines.get((NAMES.get(host, host), port))
        if line is not None:
            return line(timeout)
        if NAMES.get(host, host) == HERE:
            raise ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused")
        if not host.replace(".", "").isdigit():
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        self.sleep(3600 if timeout is None else timeout)
        raise TimeoutError("timed out")

    def at(self, when: float, call: t.Callable[[], None]) -> None:
        """Have call be called at a time, or at once if that is over."""
        heapq.heappush(self._due, (max(when, self.now), next(self._order), call))

    def sleep(self, seconds: float) -> None:
        """Let time pass for whoever calls this."""
        self.wait(lambda: False, self.now + seconds)

    def wait(self, done: t.Callable[[], bool], deadline: float | None = None) -> None:
        """Let time pass until done, which is looked at after every :meth:`wake`, or until a time."""
        me = greenlet.getcurrent()
        if me is self._hub:
            self.run_until(done, deadline)
            return
        self.alive()
        while not done():
            # Whatever else was to wake this run, it is not for this wait.
            self._asleep[me] = ticket = object()
            if deadline is not None:
                self.at(deadline, functools.partial(self._resume, me, ticket))
            self._hub.switch()
            self.alive()
            if deadline is not None and self.now >= deadline:
                return

    def wake(self) -> None:
        """Have all who wait for something look whether it is there."""
        for fiber, ticket in list(self._asleep.items()):
            self.at(self.now, functools.partial(self._resume, fiber, ticket))

    def alive(self) -> None:
        """Raise Killed in a run that has been killed."""
        if greenlet.getcurrent() in self.killed:
            raise Killed

    def begin(
        self,
        call: t.Callable[[], None],
        when: float | None = None,
        around: t.Callable[[], t.ContextManager[None]] = contextlib.nullcontext,
    ) -> t.Any:
        """Have call, which may sleep, begin now or at a time, beside everything else.

        around is entered whenever it goes on, and left whenever it waits.
        """
        fiber = greenlet.greenlet(call, self._hub)
        self._around[fiber] = around
        # Not among those asleep: whoever is to begin later is not to be woken before.
        self.at(self.now if when is None else when, lambda: self._go_on(fiber))
        return fiber

    def kill(self, fiber: t.Any) -> None:
        """End what was begun, wherever it waits."""
        self.killed.add(fiber)
        self._asleep.pop(fiber, None)
        if greenlet.getcurrent() is self._hub:
            self._end(fiber)
        else:
            # Whoever ends comes back to the hub, and not to whoever wanted that.
            self.at(self.now, functools.partial(self._end, fiber))

    def _end(self, fiber: t.Any) -> None:
        if fiber:
            with contextlib.suppress(Killed), self._around[fiber]():
                fiber.throw(Killed)

    def _resume(self, fiber: t.Any, ticket: object) -> None:
        if self._asleep.get(fiber) is ticket:
            del self._asleep[fiber]
            self._go_on(fiber)

    def _go_on(self, fiber: t.Any) -> None:
        if fiber not in self.killed:
            with self._around[fiber]():
                fiber.switch()

    def run_until(self, done: t.Callable[[], bool], limit: float | None = None) -> bool:
        """Let things happen until done, or until a time; whether it is done. Nothing more to happen ends it as well."""
        while not done():
            if not self._due or (limit is not None and self._due[0][0] > limit):
                if limit is not None:
                    self._pass(limit)
                return False
            when, _order, call = heapq.heappop(self._due)
            self._pass(when)
            call()
        return True

    def _pass(self, when: float) -> None:
        assert when - BEGIN < LONGEST, "this world waits for ever"
        if when > self.now:
            self.now = when
            if self._travel is not None:
                self._travel.move_to(when)
