// An order provider: one JSON request on standard input, one JSON answer on standard output.
// Go 1.19 or later, standard library only. makeOrder and shipOrder are yours to write: they know how orders are made in
// your shop. Build it once: go build -o provide-orders provide_orders.go
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
)

// Request is what the suite asks for; ids stay text, so that none is rounded.
type Request struct {
	Action     string `json:"action"`
	OrderID    string `json:"orderId,omitempty"`
	CustomerID string `json:"customerId,omitempty"`
	Shipped    bool   `json:"shipped"`
	Lines      []Line `json:"lines,omitempty"`
}

// Line is one line of an order; the price is exact, as text.
type Line struct {
	Quantity  int    `json:"quantity"`
	UnitPrice string `json:"unitPrice"`
}

func ask(body any) (json.RawMessage, error) {
	sent, err := json.Marshal(body)
	if err != nil {
		return nil, err
	}
	answer, err := http.Post(os.Getenv("SHOP_ORDERS"), "application/json", bytes.NewReader(sent))
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode >= 300 {
		err = fmt.Errorf("the shop answered %d: %s", answer.StatusCode, text)
	}
	return text, err
}

func makeOrder(wanted Request) (json.RawMessage, error) { return ask(wanted) }

func shipOrder(wanted Request) (json.RawMessage, error) {
	return ask(map[string]string{"action": wanted.Action, "orderId": wanted.OrderID})
}

func provide(wanted Request) (json.RawMessage, error) {
	switch wanted.Action {
	case "create_order":
		return makeOrder(wanted)
	case "ship_order":
		return shipOrder(wanted)
	}
	return nil, fmt.Errorf("there is no action %q", wanted.Action)
}

func main() {
	var wanted Request
	err := json.NewDecoder(os.Stdin).Decode(&wanted)
	var order json.RawMessage
	if err == nil {
		order, err = provide(wanted)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(string(order))
}
