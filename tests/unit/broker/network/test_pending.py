import asyncio

import pytest

from broker.network.pending import Failed, contained


@pytest.mark.parametrize("is_failing", [False, True])
def test_an_error_of_a_task_is_its_result(is_failing: bool) -> None:
    async def answer() -> int:
        if is_failing:
            raise ValueError("x")
        return 5

    result = asyncio.run(contained(answer()))
    assert isinstance(result.error, ValueError) if isinstance(result, Failed) else result == 5
    assert isinstance(result, Failed) == is_failing
