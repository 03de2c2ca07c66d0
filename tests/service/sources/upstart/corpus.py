"""Job files by their names: the stanzas of well-known packages, reduced and in own words.

They name programs like shutdown: run them in a namespace, with stubs first on PATH.
"""

from service.sources.upstart import corpus_openstack, corpus_services, corpus_system

CORPUS: dict[str, str] = {
    **corpus_system.JOBS,
    **corpus_services.JOBS,
    **corpus_openstack.JOBS,
}
