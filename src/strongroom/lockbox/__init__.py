"""Access of support to business data with the customer's consent only (section 15 of the trust services).

- `tables`    requests and policies in the control environment, sessions and commands in each environment
- `requests`  asking, approving, denying, ending: the control environment's side; `emergencies` without consent;
              `steps` what they have in common
- `roles`     the roles of support, of operators and of those who decide
- `scope`     what is asked for; `sessions` what an approval opens in an environment, and how it binds whoever comes in
- `reach`     from the control environment to the one that a request is about
- `verbs`     the rules that these tables hang in the verbs

A session is a user of its own without any role: `access.confinement` makes of the approval what that user may do, so
plans, masks and explanations are those of everybody. It ends to the second, also for a request that is running.
"""
