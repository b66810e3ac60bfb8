"""What the checks are given is made of this: benches, tables of requests, orders with a history."""
