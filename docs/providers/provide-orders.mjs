// An order provider: one JSON request on standard input, one JSON answer on standard output.
// Node 18 or later, no packages. makeOrder and shipOrder are yours to write: they know how orders are made in your shop.

const SHOP = process.env.SHOP_ORDERS; // where your own, internal way to make orders is

async function ask(body) {
  const answer = await fetch(SHOP, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
  if (!answer.ok) throw new Error(`the shop answered ${answer.status}: ${await answer.text()}`);
  return answer.json();
}

const makeOrder = ({ lines, shipped, customerId }) => ask({ action: "create_order", lines, shipped, customerId });
const shipOrder = ({ orderId }) => ask({ action: "ship_order", orderId });

const actions = { create_order: makeOrder, ship_order: shipOrder };

let text = "";
for await (const piece of process.stdin) text += piece;
try {
  const request = JSON.parse(text);
  const act = actions[request.action];
  if (!act) throw new Error(`there is no action ${request.action}`);
  const order = await act(request);
  // Ids leave as text: a number beyond 2^53 would not survive JSON in JavaScript.
  console.log(JSON.stringify({ ...order, orderId: String(order.orderId), customerId: String(order.customerId) }));
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
