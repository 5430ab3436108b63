"""What the local cloud does with each operation of AWS, and the checks that every request passes first.

``tables/services.yaml`` lists every service, ``tables/<service>.yaml`` the operations of each service that is not
refused whole. ``table.py`` reads them, ``routing.py`` finds the operation of a request, ``validation.py`` checks its
members against botocore's model, and ``admission.py`` decides whether the request is passed on to moto.
"""
