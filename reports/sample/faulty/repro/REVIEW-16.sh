#!/bin/sh
# REVIEW-16 A canceled refund stays canceled, and no later approval says otherwise.
# expected: status [4 (canceled)]
# observed: refund 9007199254745994015 with status 3 (completed)
# Needs curl, and $GENSTORE_TOKEN in the environment; BASE leads it to another server. Ids come from the new answers,
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

echo '# 1. order: POST; in the run it got 200'
ask -X POST "${BASE}"/_test/orders -H 'Content-Type: application/json' --data-binary '{"action": "create_order", "shipped": true, "lines": [{"quantity": 5, "unitPrice": "10.00"}]}'
ORDER_ID_1=$(pick orderId 1)
CUSTOMER_ID_1=$(pick customerId 1)
LINE_ITEM_ID_1=$(pick lineItemId 1)

echo '# 2. arrange: POST; in the run it got 200'
ask -X POST "${BASE}"/api/202412/refunds -H 'Accept: application/json' -H 'X-Genstore-Access-Token: '"$GENSTORE_TOKEN" -H 'Content-Type: application/json' --data-binary '{"refund": {"lineItems": [{"quantity": "2", "lineItemId": "'"${LINE_ITEM_ID_1}"'", "rightsReason": "Too small, and the colour is wrong.", "rightsReasonType": "0"}], "rightsType": "1", "shipping": {"shippingCarrierCode": "191034", "shippingCarrier": "Carrier", "trackingNumber": "TRACK123456"}, "orderId": "'"${ORDER_ID_1}"'", "customerId": "'"${CUSTOMER_ID_1}"'", "requestNo": "'"${RUN}"'00309KKKKKKKKKK00309"}}'
REFUND_ID_1=$(pick refundId 1)

echo '# 3. look: GET; in the run it got 200'
ask -X GET "${BASE}"/api/202412/orders/"${ORDER_ID_1}"'/refunds?limit=250' -H 'Accept: application/json' -H 'X-Genstore-Access-Token: '"$GENSTORE_TOKEN"

echo '# 4. probe: PUT; in the run it got 200'
ask -X PUT "${BASE}"/api/202412/refunds/"${REFUND_ID_1}" -H 'Accept: application/json' -H 'X-Genstore-Access-Token: '"$GENSTORE_TOKEN" -H 'Content-Type: application/json' --data-binary '{"orderId": "'"${ORDER_ID_1}"'", "action": "2", "refundId": "'"${REFUND_ID_1}"'"}'

echo '# 5. look: GET; in the run it got 200'
ask -X GET "${BASE}"/api/202412/orders/"${ORDER_ID_1}"'/refunds?limit=250' -H 'Accept: application/json' -H 'X-Genstore-Access-Token: '"$GENSTORE_TOKEN"

echo '# 6. the deciding request: PUT; in the run it got 200'
ask -X PUT "${BASE}"/api/202412/refunds/"${REFUND_ID_1}" -H 'Accept: application/json' -H 'X-Genstore-Access-Token: '"$GENSTORE_TOKEN" -H 'Content-Type: application/json' --data-binary '{"orderId": "'"${ORDER_ID_1}"'", "action": "1", "refundId": "'"${REFUND_ID_1}"'"}'

echo '# 7. look: GET; in the run it got 200'
ask -X GET "${BASE}"/api/202412/orders/"${ORDER_ID_1}"'/refunds?limit=250' -H 'Accept: application/json' -H 'X-Genstore-Access-Token: '"$GENSTORE_TOKEN"

echo 'expected  status [4 (canceled)]'
echo 'observed  refund 9007199254745994015 with status 3 (completed) (in the run)'
