"""Section 20: `$batch` (WA-280 to WA-294)."""

import pytest
from tests.wire.client import NOBODY, Api, unique
from tests.wire.conftest import Person
from tests.wire.multipart import answers, change_set, multipart, part, post, request

_LIST = request("GET", "accounts?$select=name&$top=1")


def named(api: Api, name: str) -> int:
    """How many accounts have this name."""
    return len(api.rows(f"accounts?$select=name&$filter=name eq '{name}'"))


@pytest.mark.parametrize(
    ("content_type", "boundary"),
    [
        ("multipart/mixed; boundary=batch_1", "batch_1"),
        ('multipart/mixed;boundary="batch 1"', "batch 1"),
        ("multipart/mixed;boundary=a'b(c)+_,-./:=?", "a'b(c)+_,-./:=?"),
        ('Multipart/Mixed; charset=utf-8; Boundary="x"', "x"),
    ],
)
def test_boundaries_of_any_legal_text(api: Api, content_type: str, boundary: str) -> None:
    """WA-280."""
    response = post(api, multipart([part(_LIST)], boundary), content_type=content_type)

    assert response.status_code == 200
    assert [answer.status for answer in answers(response)] == [200]


@pytest.mark.parametrize(
    ("content_type", "status"),
    [("multipart/mixed", 400), ("multipart/mixed; boundary=", 400), ("application/json", 415), ("text/plain", 415)],
)
def test_other_types_and_missing_boundaries(api: Api, content_type: str, status: int) -> None:
    """WA-280."""
    body = multipart([part(_LIST)]).encode()
    api.refused("POST", "$batch", content=body, headers={"Content-Type": content_type}, status=status)


def test_bodies_are_read_leniently(api: Api) -> None:
    """WA-281, WA-282: bare line feeds, a preamble, no space after colons, blank lines, no final line end; relative and
    absolute addresses, raw spaces in them."""
    name = unique("le nient")
    host = api.root.removesuffix("/api/data/v9.2/")
    body = (
        "\n\n--batch_1\nContent-Type:application/http\ncontent-transfer-encoding:binary\nContent-Length: 99\n\n\n"
        f"POST {host}/api/data/v9.2/accounts HTTP/1.1\nContent-Type:application/json\n\n\n\n"
        f'{{"name":"{name}"}}\n'
        "--batch_1\nCONTENT-TYPE: application/http\n\n\n"
        f"GET /api/data/v9.2/accounts?$select=name&$filter=name eq '{name}' HTTP/1.1\n"
        "--batch_1\nContent-Type: application/http\n\n"
        f"GET accounts?$select=name&$filter=name eq '{name}' HTTP/1.1\n\n--batch_1--"
    )

    found = answers(post(api, body))

    assert [answer.status for answer in found] == [204, 200, 200]
    assert [row["name"] for row in found[1].json["value"]] == [name]
    assert found[1].json == found[2].json


def test_addresses_of_other_hosts_are_400(api: Api) -> None:
    """WA-282: other hosts are refused; loopback names are our own."""
    port = api.root.split("/")[2].split(":")[1]
    for host, status in (("http://evil.example", 400), (f"http://localhost:{port}", 200), ("http://127.0.0.1", 200)):
        response = post(api, multipart([part(request("GET", f"{host}/api/data/v9.2/WhoAmI"))]))
        assert answers(response)[0].status == status, host


def test_parts_inherit_who_asks_and_their_own_headers_win(api: Api, reader: Person) -> None:
    """WA-283, WA-420: impersonation is inherited or of one part; Authorization in a part is ignored."""
    who = request("GET", "WhoAmI")
    inherited = answers(post(api, multipart([part(who)]), reader.acting))[0].json["UserId"]
    own = answers(post(api, multipart([part(request("GET", "WhoAmI", headers=reader.acting)), part(who)])))
    ignored = answers(post(api, multipart([part(request("GET", "WhoAmI", headers={"Authorization": "Bearer x"}))])))

    assert inherited == own[0].json["UserId"] == reader.id
    assert own[1].json["UserId"] == ignored[0].json["UserId"] != reader.id
    shown = request("POST", "accounts", {"name": unique()}, {"Prefer": "return=representation"})
    assert answers(post(api, multipart([part(shown)])))[0].status == 201
    row = api.new("accounts", {"name": unique()})
    stale = request("PATCH", f"accounts({row})", {"name": "x"}, {"If-Match": 'W/"1"'})
    assert answers(post(api, multipart([part(stale)])))[0].status == 412


def test_at_most_1000_requests_and_no_batch_inside(api: Api) -> None:
    """WA-284: nothing of a batch that is too long is executed."""
    name = unique("many")
    new = part(request("POST", "accounts", {"name": name}))
    body = multipart([new, *[part(_LIST)] * 1000])
    api.refused(
        "POST",
        "$batch",
        content=body.encode(),
        headers={"Content-Type": "multipart/mixed; boundary=batch_1"},
        status=400,
    )
    assert named(api, name) == 0
    assert len(answers(post(api, multipart([part(request("GET", "WhoAmI"))] * 1000)))) == 1000
    nested = request("POST", "$batch", headers={"Content-Type": "multipart/mixed; boundary=b"})
    assert post(api, multipart([part(nested)])).status_code == 400


def test_a_create_answers_its_address(api: Api) -> None:
    """WA-286, WA-287: in and outside of change sets; the id stands at the end of the line."""
    new = request("POST", "accounts", {"name": unique("addressed {}")})

    alone, inside = answers(post(api, multipart([part(new), change_set([part(new, "1")])])))

    for answer in (alone, inside):
        assert answer.status == 204
        assert answer.headers["odata-entityid"] == answer.headers["location"] == f"{api.root}accounts({answer.id})"
        assert api.get(f"accounts({answer.id})?$select=name")["accountid"] == answer.id
    assert (alone.content_id, inside.content_id) == (None, "1")


def test_json_bodies_are_one_object(api: Api) -> None:
    """WA-287, WA-294: from the first brace to the last; `Accept: application/json` on the batch is fine."""
    response = post(api, multipart([part(_LIST)]), {"Accept": "application/json"})
    body = answers(response)[0].body
    assert body.startswith("{")
    assert body.endswith("}")


def test_counts_are_plain_text(api: Api) -> None:
    """WA-288."""
    answer = answers(post(api, multipart([part(request("GET", "accounts/$count"))])))[0]
    assert answer.headers["content-type"] == "text/plain"
    assert answer.body.split()[-1].isdigit()


def test_a_change_set_is_all_or_nothing(api: Api) -> None:
    """WA-289: the failing request's error stands alone, with its Content-ID."""
    name = unique("rolled")
    good = part(request("POST", "accounts", {"name": name}), "1")
    bad = part(request("POST", "accounts", {"nope": 1}), "x7")

    response = post(api, multipart([change_set([good, bad])]))
    found = answers(response)

    assert response.status_code == 400
    assert [(answer.status, answer.content_id) for answer in found] == [(400, "x7")]
    assert found[0].json["error"]["code"] == "0x80048d19"
    assert named(api, name) == 0
    done = answers(post(api, multipart([change_set([good, part(request("POST", "accounts", {"name": name}), "2")])])))
    assert [(answer.status, answer.content_id) for answer in done] == [(204, "1"), (204, "2")]
    assert named(api, name) == 2


def test_get_inside_a_change_set_is_400(api: Api) -> None:
    """WA-289."""
    response = post(api, multipart([change_set([part(_LIST, "1")])]))
    assert response.status_code == 400


@pytest.mark.parametrize("inner", [False, True])
def test_content_ids_name_new_rows(api: Api, inner: bool) -> None:
    """WA-290: as URL, in paths, in bodies; in the part's headers or in the request's."""
    name = unique("chain")

    def step(number: str, method: str, target: str, body: object) -> str:
        if inner:
            return part(request(method, target, body, {"Content-ID": number}))
        return part(request(method, target, body), number)

    found = answers(
        post(
            api,
            multipart(
                [
                    change_set(
                        [
                            step("100001", "POST", "contacts", {"lastname": name}),
                            step("acc", "POST", "accounts", {"name": name, "primarycontactid@odata.bind": "$100001"}),
                            step("3", "PATCH", "$acc", {"telephone1": "123"}),
                            step("4", "PATCH", "/$acc", {"fax": "456"}),
                            step("5", "PUT", "$100001/firstname", {"value": "Z"}),
                            step("6", "POST", "tasks", {"subject": name}),
                            step("7", "POST", "$acc/Account_Tasks/$ref", {"@odata.id": "$6"}),
                            step("8", "PUT", "$acc/primarycontactid/$ref", {"@odata.id": "$100001"}),
                        ]
                    )
                ]
            ),
        )
    )

    assert [answer.status for answer in found] == [204] * 8
    row = api.get(
        f"accounts({found[1].id})?$select=telephone1,fax&$expand=primarycontactid($select=firstname),"
        "Account_Tasks($select=subject)"
    )
    assert (row["telephone1"], row["fax"], row["primarycontactid"]["firstname"]) == ("123", "456", "Z")
    assert [task["subject"] for task in row["Account_Tasks"]] == [name]


def test_unknown_content_ids_are_400(api: Api) -> None:
    """WA-290."""
    says = "Content-ID Reference: '$9' does not exist in the batch context."
    for text in (
        request("PATCH", "$9", {"name": "x"}),
        request("POST", "accounts", {"name": "x", "primarycontactid@odata.bind": "$9"}),
    ):
        answer = answers(post(api, multipart([change_set([part(text, "1")])])))[0]
        assert (answer.status, answer.json["error"]["message"]) == (400, says)


def test_the_first_error_stops_the_batch(api: Api) -> None:
    """WA-291: outer status 400, what was before stays, what comes after is not executed."""
    before, after = unique("before"), unique("after")
    parts = [
        part(request("POST", "accounts", {"name": before})),
        part(request("GET", f"accounts({NOBODY})")),
        part(request("POST", "accounts", {"name": after})),
    ]

    stopped = post(api, multipart(parts))

    assert stopped.status_code == 400
    assert [answer.status for answer in answers(stopped)] == [204, 404]
    assert (named(api, before), named(api, after)) == (1, 0)


@pytest.mark.parametrize("preference", ["odata.continue-on-error", "continue-on-error", "odata.continue-on-error=true"])
def test_the_batch_goes_on_when_asked_to(api: Api, preference: str) -> None:
    """WA-291."""
    bad = change_set([part(request("POST", "accounts", {"nope": 1}), "1")])
    response = post(api, multipart([bad, part(_LIST)]), {"Prefer": preference})

    assert response.status_code == 200
    assert [answer.status for answer in answers(response)] == [400, 200]


@pytest.mark.parametrize(
    "body",
    [
        "garbage",
        "",
        "--batch_1\r\nnonsense",
        multipart([part("NOT A REQUEST LINE")]),
        multipart([part("GET\r\n\r\n")]),
        multipart([f"Content-Type: text/plain\r\n\r\n{_LIST}"]),
        multipart(["Content-Type: multipart/mixed\r\n\r\n--x--"]),
    ],
)
def test_malformed_bodies_are_400_with_a_json_error(api: Api, body: str) -> None:
    """WA-292."""
    headers = {"Content-Type": "multipart/mixed; boundary=batch_1"}
    api.refused("POST", "$batch", content=body.encode(), headers=headers, status=400)


def test_reads_alone_one_read_and_nothing(api: Api) -> None:
    """WA-293."""
    assert [answer.status for answer in answers(post(api, multipart([part(_LIST)] * 3)))] == [200] * 3
    empty = post(api, "--batch_1--\r\n")
    assert (empty.status_code, answers(empty)) == (200, [])
    long = request("GET", f"accounts?$filter=name eq '{'x' * 40000}'")
    assert answers(post(api, multipart([part(long)])))[0].status == 200
