"""A simulated curator: answers records through Argilla's API, as the web page does."""

from __future__ import annotations

from annotation.argilla.push import find_dataset


def answer(client, dataset, workspace, id, relations, status="submitted", spans=None):
    """Answer one record; returns the HTTP answer. An earlier answer of the same user is changed."""
    values = None
    if relations is not None:
        values = {"relations": {"value": relations}} | ({"spans": {"value": spans}} if spans else {})
    body = {"status": status, "values": values}
    record, earlier = _record(client, dataset, workspace, id)
    if earlier:
        return client.http_client.put(f"/api/v1/responses/{earlier}", json=body)
    return client.http_client.post(f"/api/v1/records/{record}/responses", json=body)


def _record(client, dataset, workspace, id):
    place = find_dataset(client, dataset, workspace)
    page = client.http_client.post(
        f"/api/v1/me/datasets/{place.id}/records/search", params={"include": "responses", "limit": 500}, json={}
    )
    records = [item["record"] for item in page.raise_for_status().json()["items"]]
    record = next(item for item in records if item["external_id"] == id)
    responses = record.get("responses") or []
    return record["id"], responses[0]["id"] if responses else None
