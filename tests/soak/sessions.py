"""Sessions that open pages until told to stop, and everything that went wrong in them.

``python -m tests.soak.sessions JSON`` runs them in a process of its own; it ends when its standard
input closes, and prints one JSON object.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import string
import sys
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.exceptions import WebSocketException

from app.text import TABLES
from tests.bench import page_sessions

#: How often a session asks whether its server still answers, between clicks.
PING_S = 5.0
#: What stands in place of a page, or of a part of it, that could not be shown.
TROUBLE = ("error.", "access.refused", "lake.away", "progress.stopped")


def fixed_parts() -> list[str]:
    """Of each such sentence, in every language, the longest part that nothing is put into."""
    return [
        max((text for text, *_ in string.Formatter().parse(sentence)), key=len)
        for table in TABLES.values()
        for key, sentence in table.items()
        if key.startswith(TROUBLE)
    ]


SENTENCES = fixed_parts()


@dataclass
class Session(page_sessions.Session):
    """One that also reads what pages say in place of what they should show."""

    pings: list[float] = field(default_factory=list)

    def _take(self, message: ForwardMsg) -> None:
        super()._take(message)
        kind = message.WhichOneof("type")
        if kind == "page_not_found":
            self.errors.append("page not found")
        elif kind == "script_finished":
            if message.script_finished == ForwardMsg.FINISHED_WITH_COMPILE_ERROR:
                self.errors.append("a script that does not compile")
        elif kind == "delta" and message.delta.WhichOneof("type") == "new_element":
            element = message.delta.new_element
            body = element.alert.body if element.WhichOneof("type") == "alert" else ""
            if "Traceback" in body or any(sentence in body for sentence in SENTENCES):
                self.errors.append(body)

    async def keep_asking(self) -> None:
        """Seconds of a ping, over and over: how long the server's loop is away."""
        while True:
            await asyncio.sleep(PING_S)
            self.pings.append(await (await self._socket.ping()))


async def until_closed() -> None:
    """Wait for the end of standard input."""
    loop = asyncio.get_running_loop()
    while await loop.run_in_executor(None, os.read, 0, 1024):
        pass


async def many(url: str, tokens: Sequence[str], think_s: float, seed: int = 1) -> dict[str, Any]:
    """A session for each token, which open one page after the other and think between."""
    opened: list[float] = []
    clicks: dict[str, list[float]] = defaultdict(list)
    errors: list[str] = []
    sessions: list[Session] = []
    over = asyncio.create_task(until_closed())

    async def one(number: int, token: str) -> None:
        rng = random.Random(seed + number)
        await asyncio.sleep(think_s * number / len(tokens))
        async with Session(url, token) as session:
            sessions.append(session)
            asking = asyncio.create_task(session.keep_asking())
            opened.append(await session.open())
            here = page_sessions.HOME
            while not over.done():
                await asyncio.wait({over}, timeout=rng.uniform(0.5, 1.5) * think_s)
                if over.done():
                    break
                here = rng.choice([name for name in session.pages if name != here])
                clicks[here].append(await session.switch(here))
            asking.cancel()

    async def guarded(number: int, token: str) -> None:
        try:
            await one(number, token)
        except (OSError, WebSocketException) as error:
            errors.append(f"{type(error).__name__}: {error}")

    began = time.monotonic()
    await asyncio.gather(*(guarded(number, token) for number, token in enumerate(tokens)))
    said = [error for session in sessions for error in session.errors]
    # A busy machine is slow; that is reported, but it is no error page.
    errors += [error for error in said if error != page_sessions.LATE]
    return {
        "seconds": time.monotonic() - began,
        "expected": len(tokens),
        "opened": opened,
        "clicks": clicks,
        "pings": [ping for session in sessions for ping in session.pings],
        "late": said.count(page_sessions.LATE),
        "errors": errors,
    }


if __name__ == "__main__":
    print(json.dumps(asyncio.run(many(**json.loads(sys.argv[1])))))
