# case: app=dotnet to=mcr.microsoft.com/dotnet/aspnet:3.1
FROM mcr.microsoft.com/dotnet/sdk:3.1 AS build
WORKDIR /src
COPY . .
RUN dotnet build -c Release

FROM mcr.microsoft.com/dotnet/sdk:3.1
COPY --from=build /src /src
WORKDIR /src
CMD dotnet bin/Release/netcoreapp3.1/Shop.dll
