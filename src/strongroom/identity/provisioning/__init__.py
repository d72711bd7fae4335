"""Provisioning by SCIM 2.0 (TS-731): another system keeps people and groups of the directory.

- `endpoint`  who may provision: tokens of their own
- `service`   what is offered: Users and Groups, filters, PATCH, paging, ETags, no bulk
- `storage`   the directory's tables as the storage of `scim2-server`
"""
