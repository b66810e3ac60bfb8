#!/bin/sh
# An order provider as a program. It only makes ids up: where it says STORE, put the order into your own system.
asked=$(cat)
case $asked in *'"create_order"'*) ;; *) echo "only create_order is supported" >&2; exit 1 ;; esac
case $asked in *'"shipped": true'*) shipped=true ;; *) shipped=false ;; esac
id=$(date +%s)$$
customer=$(printf '%s' "$asked" | sed -n 's/.*"customerId": "\([^"]*\)".*/\1/p')
lines=$(printf '%s\n' "$asked" | sed 's/.*"lines": \(\[[^]]*\]\).*/\1/; s/{/{"lineItemId": "@", /g' |
  awk -v id="$id" '{ while (sub(/@/, id (++n))); print }')
# STORE: order $id of customer $customer with $lines, shipped or not
printf '{"orderId": "%s", "customerId": "%s", "shipped": %s, "lines": %s}\n' "$id" "${customer:-501}" $shipped "$lines"
