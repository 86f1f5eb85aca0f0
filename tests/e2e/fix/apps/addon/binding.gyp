{ "targets": [{ "target_name": "greet", "sources": ["greet.c"] }] }
