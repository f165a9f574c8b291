"""What cell spaces share: slots of cells, operations, the auxiliary head, and costs summed over parts."""
