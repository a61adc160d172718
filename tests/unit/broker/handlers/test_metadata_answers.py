from broker.handlers.metadata_answers import MetadataAnswers


def test_an_answer_lives_as_long_as_the_metadata() -> None:
    answers = MetadataAnswers()
    answer = answers.put(1, "key", b"body")
    assert answers.get(1, "key") is answer
    assert answers.get(1, "other") is None
    assert answers.get(2, "key") is None
    assert answers.get(1, "key") is None  # not even when the offset came back
    assert len(answers) == 0


def test_an_answer_of_newer_metadata_drops_the_older_ones() -> None:
    answers = MetadataAnswers()
    answers.put(1, "old", b"body")
    answers.put(2, "new", b"body")
    assert len(answers) == 1


def test_the_number_and_the_bytes_are_bounded() -> None:
    answers = MetadataAnswers(entries_max=2, bytes_max=10)
    answers.put(1, "a", b"1234")
    answers.put(1, "b", b"1234")
    assert len(answers) == 2
    answers.put(1, "c", b"1")
    assert len(answers) == 1
    answers.put(1, "d", b"1234567890")
    assert len(answers) == 1
    assert answers.put(1, "e", b"12345678901").body == b"12345678901"
    assert answers.get(1, "e") is None
