"""Online Retail files: whole orders, cancellations netted, an audit by known answers."""

from customers.services.importing.online_retail.conclude import conclude
from customers.services.importing.online_retail.netting import net_cancellations
from customers.services.importing.online_retail.reading import missing, stager
from customers.services.importing.online_retail.writing import write_orders

__all__ = ["conclude", "missing", "net_cancellations", "stager", "write_orders"]
