"""The report room: reads run directories and shows them; knows files only, and neither torch nor Hydra."""
