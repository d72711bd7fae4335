"""Conditional access: who gets in, from where, how and when (TS-722 to TS-725).

- `model`    a policy, what is known of a request, and the decision: pure, the same for sign-in, requests and what-if
- `tables`   policies and named locations as tables of the control environment
- `reading`  from a row to a policy; every mistake is named with its column
- `rules`    what hangs in their verbs: checks, and that no administrator is locked out unawares
- `people`   what the directory knows of a person: groups, risk, guest, emergency
- `door`     the decision when somebody signs in
- `gate`     the decision for each request
"""
