"""Networks: switch counts, port ledgers, lengths and bandwidth of the fabrics that can be built."""
