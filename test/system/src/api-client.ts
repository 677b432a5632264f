export { ApiClient, decoded, type HeldNamespace as ConnectedNamespace, type Method } from '@pp/lab';
