"""Kafka's wire protocol: the table of APIs and one generated module per message.

`api` names every API and its versions, `header` the two headers, `messages` holds the generated
codecs, `schemas` the tables that they are generated from (see README.md).
"""
