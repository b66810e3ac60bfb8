#!/bin/sh
# REVIEW-16 A canceled refund stays canceled, and no later approval says otherwise.
# expected: the refund still canceled
# observed: refund 9007199254745993126 with status 3 (completed)
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
ask -X POST "${BASE}"/_test/orders -H 'Content-Type: application/json' --data-binary '{"action": "create_order", "shipped": true, "lines": [{"quantity": 5, "unitPrice": "10.00"}, {"quantity": 3, "unitPrice": "7.00"}]}'
ORDER_ID_1=$(pick orderId 1)
CUSTOMER_ID_1=$(pick customerId 1)
LINE_ITEM_ID_1=$(pick lineItemId 1)
LINE_ITEM_ID_2=$(pick lineItemId 2)

echo '# 2. probe: POST; in the run it got 200'
ask -X POST "${BASE}"/api/202412/refunds -H 'Accept: application/json' -H 'X-Genstore-Access-Token: '"$GENSTORE_TOKEN" -H 'Content-Type: application/json' --data-binary '{"refund": {"lineItems": [{"quantity": "5", "lineItemId": "'"${LINE_ITEM_ID_1}"'", "rightsReason": "Description of Other Reasons.", "rightsReasonType": "0"}, {"quantity": "3", "lineItemId": "'"${LINE_ITEM_ID_2}"'", "rightsReason": "Description of Other Reasons.", "rightsReasonType": "0"}], "rightsType": "1", "orderId": "'"${ORDER_ID_1}"'", "customerId": "'"${CUSTOMER_ID_1}"'", "requestNo": "'"${RUN}"'00019KKKKKKKKKK00019"}}'
REFUND_ID_1=$(pick refundId 1)

echo '# 3. look: GET; in the run it got 200'
ask -X GET "${BASE}"/api/202412/orders/"${ORDER_ID_1}"'/refunds?limit=250' -H 'Accept: application/json' -H 'X-Genstore-Access-Token: '"$GENSTORE_TOKEN"

echo '# 4. arrange: PUT; in the run it got 200'
ask -X PUT "${BASE}"/api/202412/refunds/"${REFUND_ID_1}" -H 'Accept: application/json' -H 'X-Genstore-Access-Token: '"$GENSTORE_TOKEN" -H 'Content-Type: application/json' --data-binary '{"orderId": "'"${ORDER_ID_1}"'", "action": "2", "refundId": "'"${REFUND_ID_1}"'"}'

echo '# 5. look: GET; in the run it got 200'
ask -X GET "${BASE}"'/api/202412/refunds?orderId='"${ORDER_ID_1}"'&refundId='"${REFUND_ID_1}" -H 'Accept: application/json' -H 'X-Genstore-Access-Token: '"$GENSTORE_TOKEN"

echo '# 6. open: PUT; in the run it got 200'
ask -X PUT "${BASE}"/api/202412/refunds/"${REFUND_ID_1}" -H 'Accept: application/json' -H 'X-Genstore-Access-Token: '"$GENSTORE_TOKEN" -H 'Content-Type: application/json' --data-binary '{"orderId": "'"${ORDER_ID_1}"'", "action": "2", "refundId": "'"${REFUND_ID_1}"'"}'

echo '# 7. probe: POST; in the run it got 200'
ask -X POST "${BASE}"/api/202412/refunds -H 'Accept: application/json' -H 'X-Genstore-Access-Token: '"$GENSTORE_TOKEN" -H 'Content-Type: application/json' --data-binary '{"refund": {"lineItems": [{"quantity": "5", "lineItemId": "'"${LINE_ITEM_ID_1}"'", "rightsReason": "Description of Other Reasons.", "rightsReasonType": "0"}, {"quantity": "3", "lineItemId": "'"${LINE_ITEM_ID_2}"'", "rightsReason": "Description of Other Reasons.", "rightsReasonType": "0"}], "rightsType": "1", "orderId": "'"${ORDER_ID_1}"'", "customerId": "'"${CUSTOMER_ID_1}"'", "requestNo": "'"${RUN}"'00020KKKKKKKKKK00020"}}'
REFUND_ID_2=$(pick refundId 1)

echo '# 8. look: GET; in the run it got 200'
ask -X GET "${BASE}"/api/202412/orders/"${ORDER_ID_1}"'/refunds?limit=250' -H 'Accept: application/json' -H 'X-Genstore-Access-Token: '"$GENSTORE_TOKEN"

echo '# 9. probe: POST; in the run it got 409'
ask -X POST "${BASE}"/api/202412/refunds -H 'Accept: application/json' -H 'X-Genstore-Access-Token: '"$GENSTORE_TOKEN" -H 'Content-Type: application/json' --data-binary '{"refund": {"lineItems": [{"quantity": "1", "lineItemId": "'"${LINE_ITEM_ID_1}"'", "rightsReason": "Description of Other Reasons.", "rightsReasonType": "0"}], "rightsType": "1", "orderId": "'"${ORDER_ID_1}"'", "customerId": "'"${CUSTOMER_ID_1}"'", "requestNo": "'"${RUN}"'00021KKKKKKKKKK00021"}}'

echo '# 10. look: GET; in the run it got 200'
ask -X GET "${BASE}"/api/202412/orders/"${ORDER_ID_1}"'/refunds?limit=250' -H 'Accept: application/json' -H 'X-Genstore-Access-Token: '"$GENSTORE_TOKEN"

echo '# 11. probe: POST; in the run it got 409'
ask -X POST "${BASE}"/api/202412/refunds -H 'Accept: application/json' -H 'X-Genstore-Access-Token: '"$GENSTORE_TOKEN" -H 'Content-Type: application/json' --data-binary '{"refund": {"lineItems": [{"quantity": "1", "lineItemId": "'"${LINE_ITEM_ID_1}"'", "rightsReason": "Description of Other Reasons.", "rightsReasonType": "0"}], "rightsType": "1", "orderId": "'"${ORDER_ID_1}"'", "customerId": "'"${CUSTOMER_ID_1}"'", "requestNo": "'"${RUN}"'00502KKKKKKKKKK00502"}}'

echo '# 12. look: GET; in the run it got 200'
ask -X GET "${BASE}"/api/202412/orders/"${ORDER_ID_1}"'/refunds?limit=250' -H 'Accept: application/json' -H 'X-Genstore-Access-Token: '"$GENSTORE_TOKEN"

echo '# 13. the deciding request: PUT; in the run it got 200'
ask -X PUT "${BASE}"/api/202412/refunds/"${REFUND_ID_1}" -H 'Accept: application/json' -H 'X-Genstore-Access-Token: '"$GENSTORE_TOKEN" -H 'Content-Type: application/json' --data-binary '{"orderId": "'"${ORDER_ID_1}"'", "action": "1", "refundId": "'"${REFUND_ID_1}"'"}'

echo '# 14. look: GET; in the run it got 200'
ask -X GET "${BASE}"/api/202412/orders/"${ORDER_ID_1}"'/refunds?limit=250' -H 'Accept: application/json' -H 'X-Genstore-Access-Token: '"$GENSTORE_TOKEN"

echo 'expected  the refund still canceled'
echo 'observed  refund 9007199254745993126 with status 3 (completed) (in the run)'
