"""The same key, the same answer; another body, a refusal; nothing half-done."""

import threading

import pytest
from django.db import connection

from apps.identity.models import Customer
from apps.ops.models import IdempotencyKey
from tests.world import World

pytestmark = pytest.mark.integration
BODY = {
    "kind": "individual",
    "name": "Amina Yusuf",
    "email": "amina@example.com",
    "phone": "+2348031234567",
}


def post(client, key, body=BODY):
    return client.post("/api/v1/customers", body, headers={"Idempotency-Key": key})


@pytest.mark.django_db
def test_a_repeat_gets_the_first_answer_and_does_nothing(world):
    client = world.api(world.sola)

    first, second = post(client, "k1"), post(client, "k1")

    assert (first.status_code, second.status_code) == (201, 201)
    assert second.content == first.content
    assert second["Idempotent-Replay"] == "true"
    assert "Idempotent-Replay" not in first
    assert Customer.objects.filter(email=BODY["email"]).count() == 1


@pytest.mark.django_db
def test_another_body_under_the_key_is_refused(world):
    client = world.api(world.sola)
    post(client, "k1")

    answer = post(client, "k1", {**BODY, "name": "Somebody Else"})

    assert answer.status_code == 422
    assert answer.json()["code"] == "idempotency_key_reused"
    assert answer.json()["errors"][0]["field"] == "Idempotency-Key"
    assert Customer.objects.filter(name="Somebody Else").exists() is False


@pytest.mark.django_db
def test_a_refused_request_leaves_the_key_free(world):
    client = world.api(world.sola)
    assert post(client, "k1", {**BODY, "phone": "12"}).status_code == 400
    assert IdempotencyKey.objects.exists() is False
    assert post(client, "k1").status_code == 201


@pytest.mark.django_db
def test_keys_belong_to_their_sender(world):
    post(world.api(world.sola), "k1")
    answer = post(
        world.api(world.ada),
        "k1",
        {**BODY, "email": "b@example.com", "phone": "+2348031234568"},
    )
    assert answer.status_code == 201


@pytest.mark.django_db
@pytest.mark.parametrize("key", ["", "x" * 256, "with space", "ü"])
def test_a_malformed_key_is_named(world, key):
    answer = post(world.api(world.sola), key)
    assert answer.status_code == 400
    assert answer.json()["code"] == "idempotency_key_malformed"


@pytest.mark.usefixtures("own_database")
def test_ten_at_once_do_it_once():
    world = World()
    client = world.api(world.sola)
    answers = []

    def send(barrier):
        try:
            mine = type(client)(client.bearer)
            barrier.wait()
            answers.append(post(mine, "race"))
        finally:
            connection.close()

    barrier = threading.Barrier(10)
    threads = [threading.Thread(target=send, args=(barrier,)) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert {answer.status_code for answer in answers} <= {201, 409}
    bodies = {answer.content for answer in answers if answer.status_code == 201}
    assert len(bodies) == 1
    assert Customer.objects.filter(email=BODY["email"]).count() == 1
