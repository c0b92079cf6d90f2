# SPDX-License-Identifier: Apache-2.0
"""Endpoints in asyncio's loop."""

import asyncio
import errno

import pytest

import fdlink
from conftest import frame, ip, pair


def run(coroutine):
    return asyncio.run(asyncio.wait_for(coroutine, 120))


async def take(ep, n):
    found, views = [], []
    async for batch in ep:
        for view in views:
            with pytest.raises(ValueError):
                view[0]
        views = list(batch)
        found += batch.tobytes()
        if len(found) >= n:
            return found


def test_batches_come(ends):
    a, b = ends
    frames = [frame(i) for i in range(200)]

    async def both():
        task = asyncio.create_task(take(b, len(frames)))
        for i in range(0, len(frames), 10):
            await asyncio.sleep(0)
            await a.send_all(frames[i:i + 10])
        return await task

    assert run(both()) == frames


def test_the_loop_ends_with_the_peer():
    a, b = pair()
    with b:
        a.send([frame(1)])
        a.close()

        async def all_of_it():
            return [data async for batch in b for data in batch.tobytes()]

        assert run(all_of_it()) == [frame(1)]


def test_a_device_that_goes_is_an_error():
    with fdlink.open('tap:fdl-t') as ep:
        async def gone():
            task = asyncio.create_task(take(ep, 1))
            await asyncio.sleep(0)
            ip('link', 'del', 'fdl-t')
            with pytest.raises(OSError) as err:
                await task
            assert err.value.errno == errno.ENODEV

        run(gone())


def test_closed_while_a_task_waits():
    a, b = pair()
    with a, b:
        async def closed():
            task = asyncio.create_task(b.arecv())
            await asyncio.sleep(0)
            b.close()
            with pytest.raises(ValueError):
                await task

        run(closed())


@pytest.mark.parametrize('waits', [False, True])
def test_send_all_waits_for_room(waits):
    a, b = pair(pool=512)
    frames = [frame(i) for i in range(2000)]
    with a, b:
        async def both():
            if waits:
                # Wakes who waits for room, too.
                b.send([frame()])
            task = asyncio.create_task(a.send_all(frames))
            await asyncio.sleep(.01)
            assert not task.done()
            found = await take(b, len(frames))
            await task
            return found

        assert run(both()) == frames


def test_a_batch_is_sent_on_and_on():
    a, b = pair()
    c, d = pair()
    frames = [frame(i) for i in range(1000)]

    async def forward():
        async for batch in b:
            await c.send_all(batch)

    async def both():
        task = asyncio.create_task(forward())
        other = asyncio.create_task(a.send_all(frames))
        found = await take(d, len(frames))
        await other
        a.close()
        await task
        return found

    with a, b, c, d:
        assert run(both()) == frames


def test_receive_and_send_of_one_endpoint_wait_together():
    a, b = pair()
    frames = [frame(i) for i in range(1000)]
    with a, b:
        async def both():
            receiving = asyncio.create_task(a.arecv())
            sending = asyncio.create_task(a.send_all(frames))
            found = await take(b, len(frames))
            await sending
            assert not receiving.done()
            b.send([frame(5)])
            with await receiving as batch:
                assert batch.tobytes() == [frame(5)]
            return found

        assert run(both()) == frames


def test_cancelled():
    a, b = pair()
    with a, b:
        async def twice():
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(b.arecv(), .01)
            a.send([frame(1)])
            with await b.arecv() as batch:
                return batch.tobytes()

        assert run(twice()) == [frame(1)]
