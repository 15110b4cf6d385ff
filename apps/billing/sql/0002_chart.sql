-- The chart of accounts (docs/money.md 4). Numbers are the keys.
INSERT INTO billing_ledgeraccount (code, name, kind, per_customer) VALUES
    (1010, 'Cash in hand', 'asset', false),
    (1020, 'Bank', 'asset', false),
    (1030, 'Payment gateways, on the way to the bank', 'asset', false),
    (1100, 'Receivable from customers', 'asset', true),
    (2200, 'Tax collected, owed to the state', 'liability', false),
    (4000, 'Income from Internet services', 'income', false);
