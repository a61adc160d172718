"""The broker's side of the control plane: its image of the cluster, its way to the controller."""
