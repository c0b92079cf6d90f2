# SPDX-License-Identifier: Apache-2.0
"""An endpoint's fd in asyncio's loop."""

import asyncio
from typing import TYPE_CHECKING, Optional, Set

if TYPE_CHECKING:
    from ._endpoint import Endpoint


class Readiness:
    """Whoever waits for an endpoint's fd, which a loop has one reader for."""

    def __init__(self, endpoint: 'Endpoint') -> None:
        self._endpoint = endpoint
        self._waiting: Set['asyncio.Future[None]'] = set()
        self._loop: Optional[asyncio.AbstractEventLoop] = None
        self._fd = -1

    async def wait(self) -> None:
        """Until there is something to receive, or room that was asked for, or
        the endpoint is closed."""
        loop = asyncio.get_running_loop()
        if self._loop is None:
            self._fd = self._endpoint.fileno()
            loop.add_reader(self._fd, self._wake)
            self._loop = loop
        future = loop.create_future()
        self._waiting.add(future)
        try:
            await future
        finally:
            self._waiting.discard(future)
            if not self._waiting:
                self._leave()

    def close(self) -> None:
        """Before the fd is closed, on the loop's thread."""
        self._leave()
        self._wake()

    def _leave(self) -> None:
        if self._loop is not None and not self._loop.is_closed():
            self._loop.remove_reader(self._fd)
        self._loop = None

    def _wake(self) -> None:
        for future in self._waiting:
            if not future.done():
                future.set_result(None)
