"""Between the dictionaries in which pysyncobj holds a message and protobuf. No pickle.

The kinds that travel: request_vote, response_vote, append_entries (with entries or a piece of a
snapshot), next_node_idx, timeout_now, and our own pre_vote and pre_vote_response. Proposals are
never forwarded, and entries never travel in pieces, so the library's other kinds have no encoding.
"""

from __future__ import annotations

from typing import Any, TypeAlias

from controller.generated import raft_pb2
from ottla.core.errors import DecodeError, InvariantError

Message: TypeAlias = dict[str, Any]

PROMISES = frozenset({"request_vote", "response_vote", "next_node_idx"})
"""What may leave only after the journal is synced: the receiver relies on our disk."""


def encode_message(message: Message) -> raft_pb2.Message:
    kind = message["type"]
    match kind:
        case "append_entries":
            return raft_pb2.Message(append_entries=_encode_append(message))
        case "next_node_idx":
            return raft_pb2.Message(
                append_result=raft_pb2.AppendResult(
                    term=message["term"],
                    next_index=message["next_node_idx"],
                    reset=message["reset"],
                    success=message["success"],
                )
            )
        case "request_vote":
            return raft_pb2.Message(
                request_vote=raft_pb2.RequestVote(
                    term=message["term"],
                    last_log_index=message["last_log_index"],
                    last_log_term=message["last_log_term"],
                    directory_id=message["directory_id"],
                )
            )
        case "response_vote":
            return raft_pb2.Message(vote=raft_pb2.Vote(term=message["term"]))
        case "timeout_now":
            return raft_pb2.Message(timeout_now=raft_pb2.TimeoutNow(term=message["term"]))
        case "pre_vote":
            return raft_pb2.Message(
                pre_vote_request=raft_pb2.PreVoteRequest(
                    term=message["term"],
                    last_log_index=message["last_log_index"],
                    last_log_term=message["last_log_term"],
                    directory_id=message["directory_id"],
                    voters_index=message["voters_index"],
                )
            )
        case "pre_vote_response":
            return raft_pb2.Message(
                pre_vote=raft_pb2.PreVote(
                    term=message["term"],
                    requested_term=message["requested_term"],
                    granted=message["granted"],
                    voters_index=message["voters_index"],
                    voters=message["voters"],
                )
            )
        case _:
            raise InvariantError(f"a message of kind {kind!r} has no place on the network")


def _encode_append(message: Message) -> raft_pb2.AppendEntries:
    if "transmission" in message:
        raise InvariantError("an entry above the size of one message reached the log")
    append = raft_pb2.AppendEntries(term=message["term"], commit_index=message["commit_index"])
    if "prevLogIdx" not in message:
        piece = message["serialized"]
        append.snapshot.data = piece[0] if piece else b""
        return append
    append.suffix.previous_index = message["prevLogIdx"]
    append.suffix.previous_term = message["prevLogTerm"]
    for command, index, term in message["entries"]:
        append.suffix.entries.add(index=index, term=term, command=command)
    return append


def decode_message(message: raft_pb2.Message) -> Message:
    """DecodeError: a kind that this release does not know."""
    kind = message.WhichOneof("body")
    match kind:
        case "append_entries":
            return _decode_append(message.append_entries)
        case "append_result":
            result = message.append_result
            return {
                "type": "next_node_idx",
                "term": result.term,
                "next_node_idx": result.next_index,
                "reset": result.reset,
                "success": result.success,
            }
        case "request_vote":
            return _decode_request("request_vote", message.request_vote)
        case "vote":
            return {"type": "response_vote", "term": message.vote.term}
        case "timeout_now":
            return {"type": "timeout_now", "term": message.timeout_now.term}
        case "pre_vote_request":
            asked = message.pre_vote_request
            return {**_decode_request("pre_vote", asked), "voters_index": asked.voters_index}
        case "pre_vote":
            vote = message.pre_vote
            return {
                "type": "pre_vote_response",
                "term": vote.term,
                "requested_term": vote.requested_term,
                "granted": vote.granted,
                "voters_index": vote.voters_index,
                "voters": vote.voters,
            }
        case _:
            raise DecodeError("a message between voters is of an unknown kind")


def _decode_request(kind: str, request: raft_pb2.RequestVote | raft_pb2.PreVoteRequest) -> Message:
    return {
        "type": kind,
        "term": request.term,
        "last_log_index": request.last_log_index,
        "last_log_term": request.last_log_term,
        "directory_id": request.directory_id,
    }


def _decode_append(append: raft_pb2.AppendEntries) -> Message:
    message: Message = {
        "type": "append_entries",
        "term": append.term,
        "commit_index": append.commit_index,
    }
    match append.WhichOneof("content"):
        case "suffix":
            suffix = append.suffix
            entries = [(entry.command, entry.index, entry.term) for entry in suffix.entries]
            expected = suffix.previous_index + 1
            for command, index, _ in entries:
                if index != expected or not command:
                    raise DecodeError("the entries of a message do not follow each other")
                expected += 1
            message["prevLogIdx"] = suffix.previous_index
            message["prevLogTerm"] = suffix.previous_term
            message["entries"] = entries
        case "snapshot":
            message["serialized"] = append.snapshot.data
        case _:
            raise DecodeError("a message to append holds neither entries nor a snapshot")
    return message
