"""A line a row, cells parted by tabs: an output format that the package does not have."""

from nasctl.report.extend import Content, Format


def write(content: Content) -> str:
    return "".join("\t".join(row) + "\n" for grid in content.grids for row in grid.rows)


FORMAT = Format("cells parted by tabs", write)
