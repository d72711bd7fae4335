"""Monitoring: what looks at the trail beside the requests, and tells somebody.

- `tables`       the tables: rules, alerts, destinations, how far each reader has come
- `rules`        a rule as a value, and what a client may write into one; `shipped` the rules that come along
- `matching`     a filter of the query language, asked of one row in memory
- `conditions`   what a filter cannot say: was it the administrator's role, is the network a new one
- `watching`     from entries in their order to alerts: windows, thresholds, groups, suppression; pure
- `alerts`       alerts as rows: raised, added to, acknowledged, closed
- `telling`      mail and webhooks of alerts
- `events`       an entry of the trail as an event; `ocsf`, `cef` how it is written
- `destinations` where events go, and what is allowed there; `sending` files, webhooks and syslog
- `stream`       one destination's way through the log: in order, at least once, from where it stopped
- `reading`      the log as readers of it go through it; `evaluation` the rules at their work, live and as a trial
- `outbound`     where anything may be sent at all, and the posting itself
- `health`       whether all of this is at work
- `verbs`        what clients may write into rules and destinations

The rooms above run it: `strongroom.watch` does so in a server, the command line on demand.
"""
