#!/bin/sh
# LIFE-03 In every state of its refund, a review decides once, and only the refund that all of it names; what was decided stays, and so do all other values.
# expected: one of the statuses [1 (initiated), 2 (in process), 4 (canceled)]
# observed: 3 (completed)
# Needs curl, and $GENSTORE_TOKEN, $TOKEN_READ_REFUNDS, $TOKEN_UNRELATED in the environment; BASE leads it to another server. Ids come from the new answers,
# and request numbers are made new, so it can be run any number of times.
set -u
BASE=${BASE:-}
[ -n "$BASE" ] || BASE=http://127.0.0.1:40335/first-shop
RUN=$(od -An -N12 -tu1 /dev/urandom | tr -dc 0-9 | cut -c1-12)
ask() {
  answer=$(curl -sS -i "$@") || exit 1
  printf '%s\n\n' "$answer"
}
pick() {
  printf '%s' "$answer" | grep -o "\"$1\" *: *\"\{0,1\}[^\",}]*" | sed -n "$2p" | sed 's/.*[": ]//'
}

ANSWERS=$(mktemp -d) || exit 1
trap 'rm -rf "$ANSWERS"' EXIT
read_answer() {
  answer=$(cat "$ANSWERS/$1")
  printf '%s\n\n' "$answer"
}

echo '# 1. order: POST; in the run it got 200'
ask -X POST "${BASE}"/_test/orders -H 'Content-Type: application/json' --data-binary '{"action": "create_order", "shipped": true, "lines": [{"quantity": 9, "unitPrice": "1.15"}]}'
ORDER_ID_1=$(pick orderId 1)
CUSTOMER_ID_1=$(pick customerId 1)
LINE_ITEM_ID_1=$(pick lineItemId 1)

echo '# 2. order: POST; in the run it got 200'
ask -X POST "${BASE}"/_test/orders -H 'Content-Type: application/json' --data-binary '{"action": "create_order", "shipped": true, "lines": [{"quantity": 3, "unitPrice": "1.15"}, {"quantity": 2, "unitPrice": "9999.95"}], "customerId": "'"${CUSTOMER_ID_1}"'"}'
ORDER_ID_2=$(pick orderId 1)
LINE_ITEM_ID_2=$(pick lineItemId 1)
LINE_ITEM_ID_3=$(pick lineItemId 2)

echo '# 3. probe: POST; in the run it got 200'
ask -X POST "${BASE}"/api/202412/refunds -H 'Accept: application/json' -H 'X-Genstore-Access-Token: '"$GENSTORE_TOKEN" -H 'Content-Type: application/json' --data-binary '{"refund": {"lineItems": [{"quantity": "2", "lineItemId": "'"${LINE_ITEM_ID_1}"'", "rightsReason": "Reason 6.0: it'"'"'s \"größer\" <b>%41</b> & \\u0041 破损 📦\nthe second line", "rightsReasonType": "0"}], "rightsType": "1", "shipping": {"shippingCarrierCode": "191034", "shippingCarrier": "die Größe 百", "trackingNumber": "Track0000060"}, "orderId": "'"${ORDER_ID_1}"'", "customerId": "'"${CUSTOMER_ID_1}"'", "requestNo": "'"${RUN}"'002744Aa"}}'
REFUND_ID_1=$(pick refundId 1)

echo '# 4. probe: POST; in the run it got 200'
ask -X POST "${BASE}"/api/202412/refunds -H 'Accept: application/json' -H 'X-Genstore-Access-Token: '"$GENSTORE_TOKEN" -H 'Content-Type: application/json' --data-binary '{"refund": {"lineItems": [{"quantity": "1", "lineItemId": "'"${LINE_ITEM_ID_1}"'", "rightsReason": "Reason 7.0: it'"'"'s \"größer\" <b>%41</b> & \\u0041 破损 📦\nthe second line", "rightsReasonType": "0"}], "rightsType": "2", "orderId": "'"${ORDER_ID_1}"'", "customerId": "'"${CUSTOMER_ID_1}"'", "requestNo": "'"${RUN}"'002744BB"}}'
REFUND_ID_2=$(pick refundId 1)

echo '# 5. probe: PUT; in the run it got 400'
ask -X PUT "${BASE}"/api/202412/refunds/"${REFUND_ID_2}" -H 'Accept: application/json' -H 'X-Genstore-Access-Token: '"$GENSTORE_TOKEN" -H 'Content-Type: application/json' --data-binary '{"orderId": "'"${ORDER_ID_1}"'", "action": "3", "refundId": "'"${REFUND_ID_2}"'"}' > "$ANSWERS/5" &
echo '# 6. probe: PUT; in the run it got 404'
ask -X PUT "${BASE}"/api/202412/refunds/"${REFUND_ID_1}" -H 'Accept: application/json' -H 'X-Genstore-Access-Token: '"$GENSTORE_TOKEN" -H 'Content-Type: application/json' --data-binary '{"orderId": "'"${ORDER_ID_2}"'", "action": "2", "refundId": "'"${REFUND_ID_1}"'"}' > "$ANSWERS/6" &
wait  # for the answers to all of these, which were sent at one moment
read_answer 5
read_answer 6

echo '# 7. probe: PUT; in the run it got 404'
ask -X PUT "${BASE}"/api/202412/refunds/"${REFUND_ID_1}" -H 'Accept: application/json' -H 'X-Genstore-Access-Token: '"$GENSTORE_TOKEN" -H 'Content-Type: application/json' --data-binary '{"orderId": "'"${ORDER_ID_2}"'", "action": "1", "refundId": "'"${REFUND_ID_1}"'"}'

echo '# 8. probe: PUT; in the run it got 403'
ask -X PUT "${BASE}"/api/202412/refunds/"${REFUND_ID_1}" -H 'Accept: application/json' -H 'X-Genstore-Access-Token: '"$TOKEN_READ_REFUNDS" -H 'Content-Type: application/json' --data-binary '{"orderId": "'"${ORDER_ID_1}"'", "action": "2", "refundId": "'"${REFUND_ID_1}"'"}'

echo '# 9. probe: POST; in the run it got 409'
ask -X POST "${BASE}"/api/202412/refunds -H 'Accept: application/json' -H 'X-Genstore-Access-Token: '"$GENSTORE_TOKEN" -H 'Content-Type: application/json' --data-binary '{"refund": {"lineItems": [{"quantity": "7", "lineItemId": "'"${LINE_ITEM_ID_1}"'", "rightsReason": "Reason 8.0: it'"'"'s \"größer\" <b>%41</b> & \\u0041 破损 📦\nthe second line", "rightsReasonType": "0"}], "shipping": {"shippingCarrierCode": "191034", "shippingCarrier": "die Größe 百", "trackingNumber": "Track0000080"}, "orderId": "'"${ORDER_ID_1}"'", "requestNo": "11111111111111111111111111111111'"${RUN}"'00275"}}'

echo '# 10. probe: PUT; in the run it got 200'
ask -X PUT "${BASE}"/api/202412/refunds/"${REFUND_ID_1}" -H 'Accept: application/json' -H 'X-Genstore-Access-Token: '"$GENSTORE_TOKEN" -H 'Content-Type: application/json' --data-binary '{"orderId": "'"${ORDER_ID_1}"'", "action": "1", "refundId": "'"${REFUND_ID_1}"'"}'

echo '# 11. probe: PUT; in the run it got 200'
ask -X PUT "${BASE}"/api/202412/refunds/"${REFUND_ID_1}" -H 'Accept: application/json' -H 'X-Genstore-Access-Token: '"$GENSTORE_TOKEN" -H 'Content-Type: application/json' --data-binary '{"orderId": "'"${ORDER_ID_1}"'", "action": "1", "refundId": "'"${REFUND_ID_1}"'"}'

echo '# 12. probe: PUT; in the run it got 200'
ask -X PUT "${BASE}"/api/202412/refunds/"${REFUND_ID_1}" -H 'Accept: application/json' -H 'X-Genstore-Access-Token: '"$GENSTORE_TOKEN" -H 'Content-Type: application/json' --data-binary '{"orderId": "'"${ORDER_ID_1}"'", "action": "1", "refundId": "'"${REFUND_ID_1}"'"}'

echo '# 13. probe: PUT; in the run it got 403'
ask -X PUT "${BASE}"/api/202412/refunds/"${REFUND_ID_1}" -H 'Accept: application/json' -H 'X-Genstore-Access-Token: '"$TOKEN_UNRELATED" -H 'Content-Type: application/json' --data-binary '{"orderId": "'"${ORDER_ID_1}"'", "action": "1", "refundId": "'"${REFUND_ID_1}"'"}'

echo '# 14. probe: PUT; in the run it got 200'
ask -X PUT "${BASE}"/api/202412/refunds/"${REFUND_ID_2}" -H 'Accept: application/json' -H 'X-Genstore-Access-Token: '"$GENSTORE_TOKEN" -H 'Content-Type: application/json' --data-binary '{"orderId": "'"${ORDER_ID_1}"'", "action": "2", "refundId": "'"${REFUND_ID_2}"'"}'

echo '# 15. the deciding request: PUT; in the run it got 200'
ask -X PUT "${BASE}"/api/202412/refunds/"${REFUND_ID_2}" -H 'Accept: application/json' -H 'X-Genstore-Access-Token: '"$GENSTORE_TOKEN" -H 'Content-Type: application/json' --data-binary '{"orderId": "'"${ORDER_ID_1}"'", "action": "1", "refundId": "'"${REFUND_ID_2}"'"}'

echo 'expected  one of the statuses [1 (initiated), 2 (in process), 4 (canceled)]'
echo 'observed  3 (completed) (in the run)'
