"""The daily work with customers: cases, tasks, phone calls, appointments and notes."""

from collections.abc import Iterator

from strongroom.ids import Reference
from strongroom.jobs.demo.customers import Customers
from strongroom.jobs.demo.draws import draw, guid, moments, stream
from strongroom.jobs.demo.people import Row

CASE_KIND, TASK_KIND, CALL_KIND, APPOINTMENT_KIND, NOTE_KIND = 0x030, 0x031, 0x032, 0x033, 0x034

_TROUBLES = (
    *(
        "Reading drifts",
        "Display stays dark",
        "Wrong article delivered",
        "Certificate missing",
        "Gateway loses contact",
    ),
    *("Question about the invoice", "Seal leaks", "Firmware update fails"),
)
_CASE_STATES = ((0, 1), (0, 1), (0, 2), (0, 3), (0, 4), (1, 5), (1, 5), (1, 5))
_TASK_STATES = ((0, 2), (0, 2), (0, 3), (0, 4), (1, 5), (1, 5), (1, 5), (2, 6))
_NOTES = (
    "Prefers to be called in the morning.",
    "Asked for the price list of next year.",
    "The gate closes at four; announce visits.",
    "Invoices go to the head office.",
    "Grüße vom Messestand: sehr interessiert an der Wetterstation.",
    "Le responsable technique change en septembre.",
    "担当者は九月に交代します。",
    "Ζητήθηκε νέα προσφορά για τον σταθμό.",
)


class Service:
    """Cases and activities. Each belongs to an account and is owned by whoever owns that, mostly."""

    def __init__(self, seed: int, customers: Customers, until: str) -> None:
        accounts = customers.accounts
        self.cases = accounts // 2
        self.tasks = accounts
        self.calls = accounts * 2 // 5
        self.appointments = accounts * 3 // 10
        self.notes = accounts * 2 // 5
        self._seed = seed
        self._customers = customers
        self._moments = moments(until, 400, 1024)

    def case_rows(self) -> Iterator[Row]:
        for number, bits, account in self._work(CASE_KIND, self.cases):
            state, status = _CASE_STATES[bits & 7]
            customer = self._customers.account(account)
            yield {
                "incidentid": guid(CASE_KIND, number, bits),
                "title": f"{_TROUBLES[bits >> 3 & 7]} ({self._customers.locale(account).cities[bits >> 6 & 3]})",
                "ticketnumber": f"CAS-{number + 1:07d}",
                "customerid": customer,
                "primarycontactid": self._customers.first_contact(account),
                "casetypecode": (bits >> 8) % 3 + 1,
                "caseorigincode": (bits >> 10) % 3 + 1,
                "prioritycode": (2, 2, 1, 3)[bits >> 12 & 3],
                **self._common(bits, account),
                "statecode": state,
                "statuscode": status,
            }

    def task_rows(self) -> Iterator[Row]:
        for number, bits, account in self._work(TASK_KIND, self.tasks):
            state, status = _TASK_STATES[bits & 7]
            subjects = self._customers.locale(account).subjects
            yield {
                "activityid": guid(TASK_KIND, number, bits),
                "subject": subjects[(bits >> 3 & 15) % len(subjects)],
                "scheduledend": self._moments[bits >> 36 & 1023],
                "prioritycode": (1, 1, 2, 0)[bits >> 8 & 3],
                "percentcomplete": 100 if state == 1 else 0,
                **self._regarding(bits, account),
                **self._common(bits, account),
                "statecode": state,
                "statuscode": status,
            }

    def call_rows(self) -> Iterator[Row]:
        for number, bits, account in self._work(CALL_KIND, self.calls):
            is_done, outgoing = bits & 1 == 1, bits & 2 == 2
            subjects = self._customers.locale(account).subjects
            yield {
                "activityid": guid(CALL_KIND, number, bits),
                "subject": subjects[(bits >> 3 & 15) % len(subjects)],
                "directioncode": outgoing,
                "phonenumber": f"{self._customers.locale(account).dialling_code} 555 {bits >> 8 & 8191:04d}",
                "scheduledend": self._moments[bits >> 36 & 1023],
                **self._regarding(bits, account),
                **self._common(bits, account),
                "statecode": 1 if is_done else 0,
                "statuscode": (2 if outgoing else 4) if is_done else 1,
            }

    def appointment_rows(self) -> Iterator[Row]:
        for number, bits, account in self._work(APPOINTMENT_KIND, self.appointments):
            locale = self._customers.locale(account)
            start = self._moments[bits >> 36 & 1023]
            yield {
                "activityid": guid(APPOINTMENT_KIND, number, bits),
                "subject": locale.subjects[(bits >> 3 & 15) % len(locale.subjects)],
                "location": f"{locale.cities[bits >> 6 & 3]}, {locale.streets[(bits >> 8 & 15) % len(locale.streets)]}",
                "scheduledstart": start,
                "scheduledend": f"{start[:11]}{int(start[11:13]) + 1:02d}{start[13:]}",
                "isalldayevent": False,
                **self._regarding(bits, account),
                **self._common(bits, account),
                "statecode": 1 if bits & 1 else 0,
                "statuscode": 3 if bits & 1 else 1,
            }

    def note_rows(self) -> Iterator[Row]:
        for number, bits, account in self._work(NOTE_KIND, self.notes):
            text = _NOTES[bits & 7]
            yield {
                "annotationid": guid(NOTE_KIND, number, bits),
                "subject": text.split(" ")[0].rstrip(".,:。"),
                "notetext": text,
                "objectid": self._customers.account(account),
                "objecttypecode": "account",
                "isdocument": False,
                **self._common(bits, account),
            }

    def _work(self, kind: int, count: int) -> Iterator[tuple[int, int, int]]:
        """(number, draw, account) of each piece of work of one kind."""
        start = stream(self._seed, kind)
        for number in range(count):
            yield number, draw(start, number), draw(start, number + count) % self._customers.accounts

    def _common(self, bits: int, account: int) -> Row:
        created = self._moments[bits >> 46 & 1023]
        keeps_owner = bits >> 20 & 7
        owner = self._customers.owner(account) if keeps_owner else self._customers.owners[bits >> 24 & 1023]
        return {"ownerid": owner, "createdon": created, "modifiedon": created}

    def _regarding(self, bits: int, account: int) -> Row:
        """What an activity is about: the account or its first contact."""
        about: Reference = (
            self._customers.first_contact(account) if bits >> 16 & 3 == 0 else self._customers.account(account)
        )
        return {"regardingobjectid": about}
