{#- UNLOAD of a data set as Parquet to an empty S3 prefix, one folder for each split. -#}
unload (
select * from (
{% include "dataset_select.sql" %}
)
)
to {{ location | literal }}
with (format = 'PARQUET', compression = 'SNAPPY', partitioned_by = array['split'])
