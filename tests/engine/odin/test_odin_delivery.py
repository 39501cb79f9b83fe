import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from engine.errors import (
    DocumentTooLarge,
    IndexingFailed,
    NetworkTrouble,
    RefusedCredentials,
    RefusedDocument,
    ServiceTrouble,
    UnsupportedDocument,
)
from engine.odin import DocumentMetadata, OdinClient, deliver, sha256_of

NAME = "2024-05-06_Talk_dQw4-_9WgXc.txt"


@pytest.fixture
def talk(tmp_path):
    path = tmp_path / "talk.txt"
    path.write_text("[00:00 - 00:02] hello", encoding="utf-8")
    return path


@pytest.fixture
def sent(client, still, talk):
    def run(path=talk, name=NAME, video_id="dQw4-_9WgXc", **options):
        metadata = DocumentMetadata(
            title="Talk",
            sha256=sha256_of(path) if path.is_file() else "-",
            video_id=video_id,
            last_upload="2025-01-02",
        )
        return deliver(
            client, path, name, metadata, "/Talks",
            clock=still.clock, sleep=still.sleep, random=lambda: 0.5, **options,
        )  # fmt: skip

    return run


def test_a_new_document_is_sent_once_and_waited_for_until_synced(sent, kb, still):
    seen = []
    kb.looks_until_synced = 3
    done = sent(progress=seen.append)
    assert not done.already_there
    assert done.status == "synced"
    assert done.document_key == kb.docs[0]["id"]
    assert len(kb.uploads) == 1
    assert kb.uploads[0]["force"] == "false"
    assert seen[0] == "queued"
    assert seen[-1] == "synced"
    assert still.slept[:2] == [0.5, 1.0]


def test_the_same_content_is_not_sent_again(sent, kb):
    first = sent()
    again = sent()
    assert again.already_there
    assert (again.document_key, again.sha256) == (first.document_key, first.sha256)
    assert len(kb.uploads) == 1


def test_a_document_that_an_earlier_run_left_queued_is_waited_for(sent, kb, talk):
    kb.add(NAME, status="queued", sha256=sha256_of(talk), video_id="dQw4-_9WgXc")
    assert sent().already_there
    assert kb.uploads == []


def test_changed_content_replaces_the_old_and_one_document_remains(sent, kb, talk):
    sent()
    talk.write_text("other words", encoding="utf-8")
    done = sent()
    assert not done.already_there
    assert [doc["metadata"]["sha256"] for doc in kb.docs] == [done.sha256]
    assert kb.uploads[1]["force"] == "true"


def test_a_server_that_keeps_the_old_beside_the_new_is_tidied_up(sent, kb, talk):
    sent()
    kb.force_makes_doubles = True
    talk.write_text("other words", encoding="utf-8")
    done = sent()
    assert [doc["metadata"]["sha256"] for doc in kb.docs] == [done.sha256]
    assert kb.docs[0]["id"] == done.document_key


def test_a_predecessors_document_without_hash_is_replaced(sent, kb):
    kb.add(NAME, author_name="x")
    done = sent()
    assert [doc["metadata"]["sha256"] for doc in kb.docs] == [done.sha256]


@pytest.mark.parametrize(
    "fault", [{"hangs_up": True}, {"status": 502}, {"status": 200, "body": b"<html>"}]
)
def test_a_lost_answer_after_a_stored_upload_leaves_one_document(sent, kb, fault):
    kb.order("/add/file", stores=True, **fault)
    done = sent()
    assert len(kb.docs) == 1
    assert len(kb.uploads) == 1
    assert done.document_key == kb.docs[0]["id"]


def test_a_lost_answer_and_a_listing_that_lags_leave_one_document(sent, kb):
    kb.order("/add/file", stores=True, hangs_up=True)
    kb.hides_next_looks = 4
    sent()
    assert len(kb.docs) == 1


def test_a_listing_that_lags_behind_an_accepted_upload_is_waited_for(sent, kb):
    kb.hides_next_looks = 7
    sent()
    assert len(kb.uploads) == 1


def test_an_earlier_runs_document_that_shows_before_our_own_leaves_one(sent, kb, talk):
    earlier = kb.add(NAME, key=f"_{NAME}_1", sha256=sha256_of(talk), video_id="dQw4-_9WgXc")
    earlier["hidden"] = 2  # the run that sent it was killed; ours looks twice and sees nothing
    kb.lags = 5
    sent()
    assert len(kb.uploads) == 1
    assert len(kb.docs) == 1


def test_an_own_document_that_is_never_listed_is_not_waited_for_without_end(sent, kb, talk, still):
    earlier = kb.add(NAME, key=f"_{NAME}_1", sha256=sha256_of(talk), video_id="dQw4-_9WgXc")
    earlier["hidden"] = 2
    kb.lags = 999
    assert sent().document_key == f"_{NAME}_1"
    assert still.now < 60


def test_an_upload_that_never_arrived_is_sent_again_after_a_look(sent, kb, still):
    kb.order("/add/file", status=429, headers={"Retry-After": "9"})
    kb.order("/add/file", hangs_up=True)
    sent()
    assert len(kb.docs) == 1
    assert kb.count("/add/file") == 3
    assert 9.5 in still.slept


@pytest.mark.parametrize(
    ("fault", "error"), [({"status": 503}, ServiceTrouble), ({"hangs_up": True}, NetworkTrouble)]
)
def test_trouble_that_stays_ends_after_four_uploads(sent, kb, fault, error):
    kb.order("/add/file", times=99, **fault)
    with pytest.raises(error) as caught:
        sent()
    assert type(caught.value) is error
    assert kb.count("/add/file") == 4


def test_trouble_until_the_deadline_is_reported_as_that_trouble(sent, kb):
    kb.order("/add/file", status=429, headers={"Retry-After": "100"}, times=99)
    with pytest.raises(ServiceTrouble):
        sent(deadline_s=50)
    assert kb.count("/add/file") == 2


def test_doubles_of_our_making_are_reduced_to_the_known_one(sent, kb, talk):
    for key in ("_one", "_two", "_three"):
        kb.add(NAME, key=key, sha256=sha256_of(talk), video_id="dQw4-_9WgXc")
    kb.add(NAME, key="_stranger", sha256="x", video_id="another")
    done = sent(known_key="_two")
    assert done.document_key == "_two"
    assert [doc["id"] for doc in kb.docs] == ["_two", "_stranger"]
    assert kb.uploads == []


def test_a_server_that_deletes_by_name_alone_gets_the_document_again(sent, kb, talk):
    for key in ("_one", "_two"):
        kb.add(NAME, key=key, sha256=sha256_of(talk), video_id="dQw4-_9WgXc")
    kb.deletes_by_name = True
    sent()
    assert len(kb.docs) == 1


def test_doubles_that_cannot_be_deleted_end_at_the_deadline(sent, kb, talk):
    for key in ("_one", "_two"):
        kb.add(NAME, key=key, sha256=sha256_of(talk), video_id="dQw4-_9WgXc")
    kb.order("/delete", status=200, body=b"{}", times=99)
    with pytest.raises(IndexingFailed, match="doubled"):
        sent()
    assert kb.count("/delete") == 1


def test_another_videos_document_of_this_name_is_never_replaced(sent, kb):
    kb.add(NAME, sha256="x", video_id="another")
    kb.conflicts = True
    with pytest.raises(RefusedDocument, match="of this name"):
        sent()
    assert [doc["metadata"]["video_id"] for doc in kb.docs] == ["another"]


def test_a_name_that_the_listing_did_not_show_is_replaced_on_conflict(sent, kb):
    kb.add(NAME, sha256="old", video_id="dQw4-_9WgXc")
    kb.conflicts = True
    kb.hides_next_looks = 4
    sent()
    assert [upload["force"] for upload in kb.uploads] == ["false", "true"]
    assert len(kb.docs) == 1


def test_a_conflict_in_spite_of_force_is_a_refusal(sent, kb):
    kb.order("/add/file", status=409, times=99)
    with pytest.raises(RefusedDocument) as caught:
        sent()
    assert type(caught.value) is RefusedDocument


def test_a_search_that_stumbles_over_the_name_is_backed_by_the_content_key(sent, kb):
    sent()
    kb.search_is_blind = True
    assert sent().already_there


def test_a_server_that_gives_no_metadata_back_is_believed_its_key(sent, kb):
    kb.forgets_metadata = True
    assert sent().document_key == kb.docs[0]["id"]
    assert len(kb.uploads) == 1


@pytest.mark.parametrize("word", ["failed", "timeout"])
def test_a_failed_indexing_is_temporary_and_says_why(sent, kb, word):
    kb.becomes = word
    with pytest.raises(IndexingFailed, match=word):
        sent()
    assert len(kb.uploads) == 1


def test_the_reason_of_a_failed_indexing_is_told(sent, kb, talk):
    kb.becomes = "failed"
    original = kb.add
    kb.add = lambda *args, **words: (doc := original(*args, **words)).update(error="no text") or doc
    with pytest.raises(IndexingFailed, match="no text"):
        sent()


def test_a_document_that_failed_in_an_earlier_run_is_sent_again(sent, kb, talk):
    kb.add(NAME, status="failed", sha256=sha256_of(talk), video_id="dQw4-_9WgXc")
    done = sent()
    assert not done.already_there
    assert len(kb.docs) == 1


def test_a_failed_one_whose_replacement_breaks_is_tried_on(sent, kb, talk):
    kb.add(NAME, status="failed", sha256=sha256_of(talk), video_id="dQw4-_9WgXc")
    kb.order("/add/file", status=500)
    sent()
    assert [doc["status"] for doc in kb.docs] == ["synced"]


def test_a_document_on_its_way_out_is_waited_for_and_sent_after(sent, kb, still, talk):
    doc = kb.add(NAME, status="deleting", sha256=sha256_of(talk), video_id="dQw4-_9WgXc")
    sleep = still.sleep

    def passing(seconds):
        sleep(seconds)
        kb.docs = [one for one in kb.docs if one is not doc]

    still.sleep = passing
    assert not sent().already_there
    assert len(kb.docs) == 1


def test_unknown_status_words_are_waited_on_until_the_deadline(sent, kb, still):
    kb.becomes = "pondering"
    with pytest.raises(IndexingFailed, match="pondering"):
        sent(deadline_s=100)
    assert 100 <= still.now < 130
    assert max(still.slept) <= 72


def test_a_document_that_is_never_listed_ends_at_the_deadline(sent, kb):
    kb.hides_next_looks = 10_000
    with pytest.raises(IndexingFailed, match="not listed"):
        sent()
    assert len(kb.uploads) == 1


def test_a_listing_without_status_is_asked_for_it_elsewhere(sent, kb, talk):
    kb.add(NAME, sha256=sha256_of(talk), video_id="dQw4-_9WgXc")["status"] = None
    assert sent().already_there
    kb.gone_routes = {"/project/knowledge/status"}
    assert sent().already_there


def test_synced_without_chunks_is_looked_at_again_and_then_a_failure(sent, kb):
    counts = iter([0, 0, 1])
    kb.chunks = lambda name: {"chunks": [], "total_chunks": next(counts)}
    sent()
    kb.chunks = lambda name: {"chunks": []}
    with pytest.raises(IndexingFailed, match="no text"):
        sent()


def test_a_server_without_chunks_is_believed_its_status(sent, kb):
    kb.gone_routes = {"/project/proj1/document"}
    assert sent().status == "synced"


def test_refused_credentials_pass_at_once(sent, kb):
    kb.order("/add/file", status=403, body=b'{"detail": "viewer key"}')
    with pytest.raises(RefusedCredentials):
        sent()
    assert kb.count("/add/file") == 1


def test_a_file_that_changed_in_the_meantime_is_refused(client, kb, talk):
    metadata = DocumentMetadata(title="Talk", sha256="stale", last_upload="2025-01-02")
    with pytest.raises(RefusedDocument, match="changed"):
        deliver(client, talk, NAME, metadata)
    assert kb.uploads == []


def test_what_cannot_be_taken_is_refused_before_a_byte_is_sent(sent, kb, tmp_path, client):
    empty = tmp_path / "empty.txt"
    empty.touch()
    strange = tmp_path / "a.exe"
    strange.write_bytes(b"x")
    large = tmp_path / "large.mp4"
    with large.open("wb") as file:
        file.truncate(client.max_bytes + 1)
    for path, error in (
        (empty, RefusedDocument),
        (strange, UnsupportedDocument),
        (large, DocumentTooLarge),
        (tmp_path / "gone.txt", RefusedDocument),
    ):
        with pytest.raises(error):
            sent(path)
    assert kb.requests == []


def test_an_opaque_id_in_the_listing_gives_way_to_the_known_key(sent, kb, talk):
    kb.add(NAME, key="65f0", sha256=sha256_of(talk), video_id="dQw4-_9WgXc")
    assert sent(known_key="_known").document_key == "_known"
    assert sent().document_key == "65f0"


def test_two_runs_at_once_end_with_one_document_and_agree_on_it(kb, settings, talk):
    metadata = DocumentMetadata(title="Talk", sha256=sha256_of(talk), last_upload="2025-01-02")

    def run(_):
        with OdinClient(settings) as odin:
            return deliver(
                odin, talk, NAME, metadata, sleep=lambda seconds: time.sleep(min(seconds, 0.02))
            )

    with ThreadPoolExecutor(4) as pool:
        keys = {done.document_key for done in pool.map(run, range(4))}
    assert keys == {doc["id"] for doc in kb.docs}
    assert len(kb.docs) == 1
