"""Customers whose last service ended before there was the state: dormant."""

from django.db import migrations

SQL = """
INSERT INTO identity_customerturn
       (customer_id, at, from_state, to_state, reason, actor_kind, actor_label)
SELECT c.id, now(), 'active', 'dormant', '', 'system', 'migration'
  FROM identity_customer c
 WHERE c.state = 'active'
   AND EXISTS (SELECT 1 FROM catalog_service s WHERE s.customer_id = c.id)
   AND NOT EXISTS (SELECT 1 FROM catalog_service s
                    WHERE s.customer_id = c.id AND s.state <> 'terminated');
UPDATE identity_customer c SET state = 'dormant'
 WHERE c.state = 'active'
   AND EXISTS (SELECT 1 FROM catalog_service s WHERE s.customer_id = c.id)
   AND NOT EXISTS (SELECT 1 FROM catalog_service s
                    WHERE s.customer_id = c.id AND s.state <> 'terminated');
"""


class Migration(migrations.Migration):
    dependencies = [
        ("catalog", "0002_guard_states"),
        ("identity", "0005_lifecycle"),
    ]

    operations = [migrations.RunSQL(SQL, migrations.RunSQL.noop)]
