"""The console: pages for people, rendered on the server.

It is a client of the Web API: every page asks the same questions that any client may ask, as the person who looks at
it, so it can do nothing and show nothing that its user could not do and see there. Without scripts everything reads
and every form works; scripts only add comfort.
"""
